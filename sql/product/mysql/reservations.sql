-- Reservations: stock set aside for somebody, until they confirm, give it back or let it expire.

-- name: AddReservation :exec
INSERT INTO reservation (id, owner, request_key, expires_at, created_at, updated_at)
VALUES (sqlc.arg(id), sqlc.arg(owner), sqlc.arg(request_key), sqlc.arg(expires_at), sqlc.arg(now), sqlc.arg(now));

-- name: AddLines :exec :bulk
INSERT INTO reservation_line (reservation_id, product_id, quantity, unit_price, currency)
VALUES (sqlc.arg(reservation_id), sqlc.arg(product_id), sqlc.arg(quantity), sqlc.arg(unit_price), sqlc.arg(currency));

-- name: GetReservation :one
SELECT * FROM reservation WHERE id = sqlc.arg(id);

-- name: FindReservation :one
-- What a request with this key reserved before.
SELECT * FROM reservation WHERE owner = sqlc.arg(owner) AND request_key = sqlc.arg(request_key);

-- name: LockReservations :many
-- The reservations as they are, to be settled by this transaction alone; by id, so that two who lock the same ones do
-- not deadlock.
SELECT * FROM reservation WHERE id IN (sqlc.slice(ids)) ORDER BY id FOR UPDATE;

-- name: ListLines :many
SELECT * FROM reservation_line
WHERE reservation_id IN (sqlc.slice(reservation_ids))
ORDER BY reservation_id, product_id;

-- name: SettleReservations :execrows
UPDATE reservation SET status = sqlc.arg(status), updated_at = sqlc.arg(now) WHERE id IN (sqlc.slice(ids));

-- name: ClaimExpired :many
-- Lock pending reservations past their time; those that another process has in hand are its own.
SELECT * FROM reservation
WHERE status = 'pending' AND expires_at <= sqlc.arg(now)
ORDER BY expires_at, id
LIMIT sqlc.arg(batch_size)
FOR UPDATE SKIP LOCKED;
