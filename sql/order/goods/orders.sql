-- Orders of goods: read, listed in a chosen order, and taken from status to status.

-- tenant: all the event that it writes beside the order goes to the outbox, which belongs to no customer
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

-- tenant: all the staff reads the orders of all customers; a customer's request uses GetOrderOf
-- name: GetOrder :one
SELECT * FROM goods_order WHERE id = @id AND deleted_at IS NULL;

-- name: GetOrderOf :one
-- The same order, if it is this user's.
SELECT * FROM goods_order WHERE id = @id AND user_id = @user_id AND deleted_at IS NULL;

-- tenant: all a request key is unique among all orders of the person who sent it, the staff's for several customers too
-- name: FindOrder :one
-- What a request with this key ordered before.
SELECT * FROM goods_order WHERE created_by = @created_by AND request_key = @request_key::text;

-- tenant: all the staff and the recovery change the orders of all customers; a customer's request uses LockOrderOf
-- name: LockOrder :one
-- The order as it is, to be changed by this transaction alone; removed ones too.
SELECT * FROM goods_order WHERE id = @id FOR UPDATE;

-- name: LockOrderOf :one
-- The same order, if it is this user's. Nobody can make a user wait by asking for the user's orders.
SELECT * FROM goods_order WHERE id = @id AND user_id = @user_id FOR UPDATE;

-- tenant: all the page of the staff has the orders of several customers; each caller passes orders that were just read
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
    AND EXISTS (SELECT FROM goods_order_line AS l WHERE l.order_id = o.id AND l.product_id = @product_id) -- :if product_id
;

-- tenant: all the staff lists the orders of all customers; a customer's request uses ListOrdersOf
-- name: ListOrders :page
-- One page of the orders that match, in the order asked for, equal ones by id.
SELECT * FROM sqlc.include(listed_orders, o)
    AND o.user_id = @user_id -- :if user_id
ORDER BY
    o.created_at, -- :sort created_at asc|desc, total asc|desc
    o.id
LIMIT @page_size OFFSET @skip;

-- tenant: all the staff lists the orders of all customers; a customer's request uses WalkOrdersOf
-- name: WalkOrders :page
-- The same orders, from a cursor on.
SELECT * FROM sqlc.include(listed_orders, o)
    AND o.user_id = @user_id -- :if user_id
ORDER BY
    o.created_at, -- :sort created_at asc|desc, total asc|desc
    o.id;

-- name: ListOrdersOf :page
-- One page of a user's orders that match.
SELECT * FROM sqlc.include(listed_orders, o)
    AND o.user_id = @user_id
ORDER BY
    o.created_at, -- :sort created_at asc|desc, total asc|desc
    o.id
LIMIT @page_size OFFSET @skip;

-- name: WalkOrdersOf :page
-- The same orders of a user, from a cursor on.
SELECT * FROM sqlc.include(listed_orders, o)
    AND o.user_id = @user_id
ORDER BY
    o.created_at, -- :sort created_at asc|desc, total asc|desc
    o.id;

-- tenant: all only the staff takes orders to these statuses
-- name: MoveOrder :execrows
-- Take the order to a status other than cancelled. One that is delivered is to be settled: by us, or after the lease
-- by whoever finds it.
UPDATE goods_order
SET status = @status::goods_status, version = version + 1, updated_at = now(), updated_by = @updated_by,
    settle_at = CASE WHEN @status::goods_status = 'delivered' THEN now() + make_interval(secs => @lease_seconds::float8) END
WHERE id = @id;

-- tenant: all a worker asks for the payments of all customers
-- name: ClaimUnsettled :many
-- Those delivered that nobody has paid for as far as we know, ours for a while; see ClaimDrafts.
UPDATE goods_order SET settle_at = now() + make_interval(secs => @lease_seconds::float8)
WHERE id IN (
    SELECT o.id FROM goods_order AS o WHERE o.settle_at <= now()
    ORDER BY o.settle_at, o.id LIMIT @batch_size FOR UPDATE SKIP LOCKED
)
RETURNING *;

-- tenant: all a payment is recorded after a change by the staff or by a worker, and for no customer's request
-- name: NoteSettled :execrows
-- No row where that was known.
UPDATE goods_order SET settle_at = NULL, settled_at = now() WHERE id = @id AND settle_at IS NOT NULL;

-- tenant: all a worker cancels what no customer has confirmed in time
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

-- tenant: all the orders are locked before: one customer's by a request, several customers' by the expiry
-- name: CancelOrders :many
-- Their stock is to be given back: by us, or after the lease by whoever finds it.
UPDATE goods_order
SET status = 'cancelled', cancel_reason = @reason, stock = 'returning', pending_validation = false,
    due_at = now() + make_interval(secs => @lease_seconds::float8),
    version = version + 1, updated_at = now(), updated_by = @updated_by
WHERE id = ANY (@ids::uuid[])
RETURNING *;

-- tenant: all only the staff removes orders
-- name: RemoveOrder :execrows
UPDATE goods_order
SET deleted_at = now(), version = version + 1, updated_at = now(), updated_by = @updated_by
WHERE id = @id;

-- tenant: all the recovery asks the user service about the customers whom nobody could ask about
-- name: ValidateOrder :execrows
-- The user exists and is active.
UPDATE goods_order
SET pending_validation = false, due_at = CASE WHEN stock = 'reserved' THEN due_at END,
    version = version + 1, updated_at = now()
WHERE id = @id AND pending_validation;

-- tenant: all one statement records what the requests of several customers have sold at a time
-- name: NoteSold :many
-- The product service has confirmed the reservations; whether a user may order is asked at once.
UPDATE goods_order SET stock = 'sold', due_at = CASE WHEN pending_validation THEN now() END
WHERE id = ANY (@ids::uuid[]) AND stock = 'reserved'
RETURNING *;

-- tenant: all the product service has taken the stock back, for a request or for the recovery
-- name: NoteReturned :execrows
-- The product service has the stock back.
UPDATE goods_order SET stock = 'returned', due_at = NULL WHERE id = @id AND stock = 'returning';

-- tenant: all the recovery goes on with the orders of all customers
-- name: ClaimOrders :many
-- Those with something left to do that nobody does, ours for a while; see ClaimDrafts.
UPDATE goods_order SET due_at = now() + make_interval(secs => @lease_seconds::float8)
WHERE id IN (
    SELECT o.id FROM goods_order AS o WHERE o.due_at <= now()
    ORDER BY o.due_at, o.id LIMIT @batch_size FOR UPDATE SKIP LOCKED
)
RETURNING *;

-- tenant: all the recovery puts off an order that it has claimed
-- name: RetryOrder :execrows
-- Nobody answered: it is due again sooner than after the lease, if it is due at all.
UPDATE goods_order SET due_at = least(due_at, now() + make_interval(secs => @wait_seconds::float8))
WHERE id = @id AND due_at IS NOT NULL;
