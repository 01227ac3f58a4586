-- Offers that providers make on service orders.

-- name: GetOffer :one
SELECT * FROM offer WHERE id = @id;

-- fragment: listed_offers()
-- The offers that match the filters of a list, whoever's they are.
offer
WHERE true
    AND status = @status -- :if status
;

-- name: ListOffersOn :page
-- One page of the offers on an order, in the order asked for, equal ones by id.
SELECT * FROM sqlc.include(listed_offers)
    AND order_id = @order_id
ORDER BY
    created_at, -- :sort created_at asc|desc, price asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- name: WalkOffersOn :page
-- The same offers, from a cursor on.
SELECT * FROM sqlc.include(listed_offers)
    AND order_id = @order_id
ORDER BY
    created_at, -- :sort created_at asc|desc, price asc|desc
    id;

-- name: ListOffersOf :page
-- One page of a provider's offers, all of them or those on one order.
SELECT * FROM sqlc.include(listed_offers)
    AND provider_id = @provider_id
    AND order_id = @order_id -- :if order_id
ORDER BY
    created_at, -- :sort created_at asc|desc, price asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- name: WalkOffersOf :page
-- The same offers, from a cursor on.
SELECT * FROM sqlc.include(listed_offers)
    AND provider_id = @provider_id
    AND order_id = @order_id -- :if order_id
ORDER BY
    created_at, -- :sort created_at asc|desc, price asc|desc
    id;

-- name: CountWaitingOffersOf :one
-- How many of a provider's offers wait, and may still be accepted.
SELECT count(*) FROM offer
WHERE provider_id = @provider_id AND status = 'PENDING' AND book_time > @open_after;

-- name: HasPendingOffer :one
SELECT EXISTS (SELECT FROM offer WHERE order_id = @order_id AND status = 'PENDING');

-- name: HasOffer :one
-- Whether a provider has ever made an offer on an order that is still there.
SELECT EXISTS (SELECT FROM offer WHERE order_id = @order_id AND provider_id = @provider_id);

-- name: HasAcceptedOffer :one
-- Whether a provider's offer on an order was accepted, and its job was not called off.
SELECT EXISTS (
    SELECT FROM offer WHERE order_id = @order_id AND provider_id = @provider_id AND status = 'ACCEPTED'
);

-- name: LockProvider :exec
-- Until the transaction ends, one after the other: a limit that is counted first must not be passed.
SELECT pg_advisory_xact_lock(hashtextextended('offer ' || @provider_id::uuid::text, 0));

-- name: AddOffer :one
INSERT INTO offer (id, order_id, provider_id, price, currency_id, currency, book_time)
VALUES (@id, @order_id, @provider_id, @price, @currency_id, @currency, @book_time)
RETURNING *;

-- name: ChangeOffer :execrows
UPDATE offer SET
    price = @price,
    currency_id = @currency_id,
    currency = @currency,
    book_time = @book_time,
    version = version + 1,
    updated_at = now()
WHERE id = @id;

-- name: SetOfferStatus :execrows
UPDATE offer SET status = @status, version = version + 1, updated_at = now() WHERE id = @id;

-- name: RejectOffers :execrows
-- Every offer on the orders that still waits.
UPDATE offer SET status = 'REJECTED', version = version + 1, updated_at = now()
WHERE order_id = ANY (@order_ids::uuid[]) AND status = 'PENDING';

-- name: RemoveOffer :execrows
DELETE FROM offer WHERE id = @id;

-- name: WithdrawOffersOf :execrows
-- A provider's offers that wait and were there at that moment.
UPDATE offer SET status = 'CANCELLED', version = version + 1, updated_at = now()
WHERE provider_id = @provider_id AND order_id = ANY(@order_ids::uuid[])
    AND status = 'PENDING' AND created_at <= @until;
