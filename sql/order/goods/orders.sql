-- Orders of goods: read, listed in a chosen order, and taken from status to status.

-- name: AddOrder :one
-- The draft becomes an order, with its lines in the order given and the event that tells of it. No row where it has
-- become one, or is given up, and where `most` orders of the user wait to be confirmed, or would come to more than
-- `most_value` in this currency.
WITH room AS (
    SELECT d.id FROM goods_draft AS d
    WHERE d.id = @id AND NOT d.abandoned AND goods_waiting(d.user_id, @most::integer) < @most::integer
        AND goods_waiting_value(d.user_id, @currency) + @total <= @most_value::numeric
), taken AS (
    DELETE FROM goods_draft USING room WHERE goods_draft.id = room.id AND NOT goods_draft.abandoned
    RETURNING goods_draft.*
), added AS (
    INSERT INTO goods_order (
        id, user_id, pending_validation, total, currency, reservation_id, due_at, created_by, updated_by, request_key
    )
    SELECT
        taken.id, taken.user_id, taken.pending_validation, @total, @currency, @reservation_id,
        now() + make_interval(secs => @lease_seconds::float8), taken.created_by, taken.created_by, taken.request_key
    FROM taken
    RETURNING *
), lines AS (
    INSERT INTO goods_order_line (order_id, position, product_id, quantity, unit_price)
    SELECT added.id, t.number - 1, t.product_id, t.quantity, t.unit_price
    FROM added, unnest(@product_ids::uuid[], @quantities::integer[], @unit_prices::numeric[])
    WITH ORDINALITY AS t (product_id, quantity, unit_price, number)
), told AS (
    INSERT INTO outbox (id, lane, topic, event_key, kind, payload, request_id, traceparent)
    SELECT @event_id, @lane, @topic, added.id::text, @kind, @payload, @request_id, @traceparent FROM added
)
SELECT * FROM added;

-- name: CountWaiting :one
-- How many orders of a user wait to be confirmed.
SELECT count(*) FROM goods_order WHERE user_id = @user_id AND status = 'pending' AND deleted_at IS NULL;

-- name: GetOrder :one
SELECT * FROM goods_order WHERE id = @id AND deleted_at IS NULL;

-- name: FindOrder :one
-- What a request with this key ordered before.
SELECT * FROM goods_order WHERE created_by = @created_by AND request_key = @request_key::text;

-- name: LockOrder :one
-- The order as it is, to be changed by this transaction alone; removed ones too.
SELECT * FROM goods_order WHERE id = @id FOR UPDATE;

-- name: ListLines :many
SELECT * FROM goods_order_line
WHERE order_id = ANY (@order_ids::uuid[])
ORDER BY order_id, position;

-- fragment: listed_orders(o)
-- The orders that match the filters of a list.
goods_order AS o
WHERE o.status = ANY (@statuses::goods_status[])
    AND o.created_at >= @created_from AND o.created_at < @created_to
    AND (o.deleted_at IS NOT NULL) = @deleted
    AND o.user_id = @user_id -- :if user_id
    AND EXISTS (SELECT FROM goods_order_line AS l WHERE l.order_id = o.id AND l.product_id = @product_id) -- :if product_id
;

-- name: ListOrders :page
-- One page of the orders that match, in the order asked for, equal ones by id.
SELECT * FROM sqlc.include(listed_orders, o)
ORDER BY
    o.created_at, -- :sort created_at asc|desc, total asc|desc
    o.id
LIMIT @page_size OFFSET @skip;

-- name: WalkOrders :page
-- The same orders, from a cursor on.
SELECT * FROM sqlc.include(listed_orders, o)
ORDER BY
    o.created_at, -- :sort created_at asc|desc, total asc|desc
    o.id;

-- name: MoveOrder :execrows
-- Take the order to a status other than cancelled. One that is delivered is to be settled: by us, or after the lease
-- by whoever finds it.
UPDATE goods_order
SET status = @status::goods_status, version = version + 1, updated_at = now(), updated_by = @updated_by,
    settle_at = CASE WHEN @status::goods_status = 'delivered' THEN now() + make_interval(secs => @lease_seconds::float8) END
WHERE id = @id;

-- name: ClaimUnsettled :many
-- Those delivered that nobody has paid for as far as we know, ours for a while; see ClaimDrafts.
UPDATE goods_order SET settle_at = now() + make_interval(secs => @lease_seconds::float8)
WHERE id IN (
    SELECT o.id FROM goods_order AS o WHERE o.settle_at <= now()
    ORDER BY o.settle_at, o.id LIMIT @batch_size FOR UPDATE SKIP LOCKED
)
RETURNING *;

-- name: NoteSettled :execrows
-- No row where that was known.
UPDATE goods_order SET settle_at = NULL, settled_at = now() WHERE id = @id AND settle_at IS NOT NULL;

-- name: LockUnconfirmed :many
-- ignore: V030 goods_order_pending_since has this order; the planner rates the order of the id beside it too low
-- Those that nobody has confirmed for long, to be changed by this transaction alone.
SELECT * FROM goods_order
WHERE status = 'pending' AND created_at < @before
ORDER BY created_at, id
LIMIT @batch_size
FOR UPDATE SKIP LOCKED;

-- name: LockOrdersOf :many
-- A user's orders in some statuses that were there at that moment, to be changed by this transaction alone.
SELECT * FROM goods_order
WHERE user_id = @user_id AND status = ANY (@statuses::goods_status[]) AND created_at <= @until
ORDER BY id
FOR UPDATE;

-- name: CancelOrders :many
-- Their stock is to be given back: by us, or after the lease by whoever finds it.
UPDATE goods_order
SET status = 'cancelled', cancel_reason = @reason, stock = 'returning', pending_validation = false,
    due_at = now() + make_interval(secs => @lease_seconds::float8),
    version = version + 1, updated_at = now(), updated_by = @updated_by
WHERE id = ANY (@ids::uuid[])
RETURNING *;

-- name: RemoveOrder :execrows
UPDATE goods_order
SET deleted_at = now(), version = version + 1, updated_at = now(), updated_by = @updated_by
WHERE id = @id;

-- name: ValidateOrder :execrows
-- The user exists and is active.
UPDATE goods_order
SET pending_validation = false, due_at = CASE WHEN stock = 'reserved' THEN due_at END,
    version = version + 1, updated_at = now()
WHERE id = @id AND pending_validation;

-- name: NoteSold :many
-- The product service has confirmed the reservations; whether a user may order is asked at once.
UPDATE goods_order SET stock = 'sold', due_at = CASE WHEN pending_validation THEN now() END
WHERE id = ANY (@ids::uuid[]) AND stock = 'reserved'
RETURNING *;

-- name: NoteReturned :execrows
-- The product service has the stock back.
UPDATE goods_order SET stock = 'returned', due_at = NULL WHERE id = @id AND stock = 'returning';

-- name: ClaimOrders :many
-- Those with something left to do that nobody does, ours for a while; see ClaimDrafts.
UPDATE goods_order SET due_at = now() + make_interval(secs => @lease_seconds::float8)
WHERE id IN (
    SELECT o.id FROM goods_order AS o WHERE o.due_at <= now()
    ORDER BY o.due_at, o.id LIMIT @batch_size FOR UPDATE SKIP LOCKED
)
RETURNING *;

-- name: RetryOrder :execrows
-- Nobody answered: it is due again sooner than after the lease, if it is due at all.
UPDATE goods_order SET due_at = least(due_at, now() + make_interval(secs => @wait_seconds::float8))
WHERE id = @id AND due_at IS NOT NULL;
