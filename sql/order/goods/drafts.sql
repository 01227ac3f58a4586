-- Drafts: orders that nothing is reserved for yet, as far as we know.

-- name: AddDraft :exec
INSERT INTO goods_draft (id, user_id, pending_validation, created_by, request_key, due_at)
VALUES (
    @id, @user_id, @pending_validation, @created_by, sqlc.narg(request_key),
    now() + make_interval(secs => @lease_seconds::float8)
);

-- name: AddDraftLines :exec
-- In the order given.
INSERT INTO goods_draft_line (draft_id, position, product_id, quantity)
SELECT @draft_id, t.number - 1, t.product_id, t.quantity
FROM unnest(@product_ids::uuid[], @quantities::integer[])
WITH ORDINALITY AS t (product_id, quantity, number);

-- name: FindDraft :one
-- What a request with this key began.
SELECT * FROM goods_draft WHERE created_by = @created_by AND request_key = @request_key::text;

-- name: LockDraft :one
-- The draft as it is, to become an order or to go by this transaction alone.
SELECT * FROM goods_draft WHERE id = @id FOR UPDATE;

-- name: ListDraftLines :many
SELECT * FROM goods_draft_line WHERE draft_id = @draft_id ORDER BY position;

-- name: AbandonDraft :execrows
-- It can no longer become an order; its request may be sent again: the key is free.
UPDATE goods_draft
SET abandoned = true, request_key = NULL, due_at = CASE WHEN abandoned THEN due_at ELSE now() END
WHERE id = @id;

-- name: RemoveDraft :execrows
DELETE FROM goods_draft WHERE id = @id;

-- name: ClaimDrafts :many
-- Those nobody goes on with, ours for a while; what another process has in hand is its own.
UPDATE goods_draft SET due_at = now() + make_interval(secs => @lease_seconds::float8)
WHERE id IN (
    SELECT d.id FROM goods_draft AS d WHERE d.due_at <= now()
    ORDER BY d.due_at, d.id LIMIT @batch_size FOR UPDATE SKIP LOCKED
)
RETURNING *;

-- name: RetryDraft :execrows
-- Nobody answered: it is due again sooner than after the lease.
UPDATE goods_draft SET due_at = least(due_at, now() + make_interval(secs => @wait_seconds::float8))
WHERE id = @id;
