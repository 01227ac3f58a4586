-- Drafts: orders that nothing is reserved for yet, as far as we know.

-- tenant: all a request key is unique among all orders of the person who sent it, the staff's for several customers too
-- name: AddDraft :one
-- With its lines, in the order given, and what the user holds of their products already. No row where the request has
-- made something before, and where `most` orders of the user wait to be confirmed.
INSERT INTO goods_draft (
    id, user_id, pending_validation, created_by, request_key, due_at, product_ids, quantities, held
)
SELECT
    @id, @user_id, @pending_validation, @created_by, sqlc.narg(request_key)::text,
    now() + make_interval(secs => @lease_seconds::float8), @product_ids::uuid[], @quantities::integer[],
    goods_held(@user_id, @product_ids::uuid[])
WHERE NOT EXISTS (
    SELECT FROM goods_order AS o WHERE o.created_by = @created_by AND o.request_key = sqlc.narg(request_key)::text
)
AND (
    SELECT count(*) FROM (
        SELECT FROM goods_order AS w
        WHERE w.user_id = @user_id AND w.status = 'pending' AND w.deleted_at IS NULL
        LIMIT @most
    ) AS waiting
) < @most
ON CONFLICT (created_by, request_key) DO NOTHING
RETURNING *;

-- tenant: all the key finds the draft of another customer too, so that the service refuses to use the key again
-- name: FindDraft :one
-- What a request with this key began.
SELECT * FROM goods_draft WHERE created_by = @created_by AND request_key = @request_key::text;

-- tenant: all a request or the recovery looks again at the draft that it works on, whose id the service made
-- name: GetDraft :one
SELECT * FROM goods_draft WHERE id = @id;

-- tenant: all a request or the recovery gives up the draft that it works on, whose id the service made
-- name: AbandonDraft :execrows
-- It can no longer become an order; its request may be sent again: the key is free.
UPDATE goods_draft
SET abandoned = true, request_key = NULL, due_at = CASE WHEN abandoned THEN due_at ELSE now() END
WHERE id = @id;

-- name: AbandonDraftsOf :execrows
-- Of a user who is gone.
UPDATE goods_draft SET abandoned = true, request_key = NULL, due_at = now()
WHERE user_id = @user_id AND NOT abandoned AND created_at <= @until;

-- tenant: all a request or the recovery removes the draft whose products were refused or given back
-- name: RemoveDraft :execrows
DELETE FROM goods_draft WHERE id = @id;

-- tenant: all the recovery goes on with the drafts of all customers
-- name: ClaimDrafts :many
-- Those nobody goes on with, ours for a while; what another process has in hand is its own.
UPDATE goods_draft SET due_at = now() + make_interval(secs => @lease_seconds::float8)
WHERE id IN (
    SELECT d.id FROM goods_draft AS d WHERE d.due_at <= now()
    ORDER BY d.due_at, d.id LIMIT @batch_size FOR UPDATE SKIP LOCKED
)
RETURNING *;

-- tenant: all the recovery puts off a draft that it has claimed
-- name: RetryDraft :execrows
-- Nobody answered: it is due again sooner than after the lease.
UPDATE goods_draft SET due_at = least(due_at, now() + make_interval(secs => @wait_seconds::float8))
WHERE id = @id;
