-- name: AddStay :exec
INSERT INTO stay (id, days) VALUES (@id, @days);

-- name: GetStay :one
SELECT id, days AS "when" FROM stay WHERE id = @id;

-- name: EmbeddedStays :many
SELECT sqlc.embed(stay), house.id AS house FROM stay JOIN house ON house.id = stay.id;

-- name: HousesAt :many
SELECT house.at, id FROM house WHERE tags = @tags;

-- name: FirstDays :many
SELECT id, lower(days) AS first, days::text AS days FROM stay;
