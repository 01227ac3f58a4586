-- Reservations: stock set aside for somebody, until they confirm, give it back or let it expire.

-- name: AddReservation :exec
INSERT INTO reservation (id, owner, request_key, expires_at, created_at, updated_at)
VALUES (@id, @owner, @request_key, @expires_at, @now, @now);

-- name: AddLines :exec :bulk
INSERT INTO reservation_line (reservation_id, product_id, quantity, unit_price, currency)
VALUES (@reservation_id, @product_id, @quantity, @unit_price, @currency);

-- name: GetReservation :one
SELECT * FROM reservation WHERE id = @id;

-- name: FindReservation :one
-- What a request with this key reserved before.
SELECT * FROM reservation WHERE owner = @owner AND request_key = @request_key;

-- name: LockReservations :many
-- The reservations as they are, to be settled by this transaction alone; by id, so that two who lock the same ones do
-- not deadlock.
SELECT * FROM reservation WHERE id = ANY (@ids::uuid[]) ORDER BY id FOR UPDATE;

-- name: ListLines :many
SELECT * FROM reservation_line
WHERE reservation_id = ANY (@reservation_ids::uuid[])
ORDER BY reservation_id, product_id;

-- name: SettleReservations :execrows
UPDATE reservation SET status = @status, updated_at = @now WHERE id = ANY (@ids::uuid[]);

-- name: ClaimExpired :many
-- Lock pending reservations past their time; those that another process has in hand are its own.
SELECT * FROM reservation
WHERE status = 'pending' AND expires_at <= @now
ORDER BY expires_at, id
LIMIT @batch_size
FOR UPDATE SKIP LOCKED;
