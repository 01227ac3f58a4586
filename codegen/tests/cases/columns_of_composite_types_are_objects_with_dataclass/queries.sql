-- name: AddHouse :exec
INSERT INTO house VALUES (@id, @home, @work, @owner);

-- name: ListHouses :many
SELECT id, home, work FROM house ORDER BY id;

-- name: ListOwners :many
SELECT house.id, person AS owner, sqlc.embed(person)
FROM house LEFT JOIN person ON person.id = house.owner
ORDER BY house.id;

-- name: ListRows :many
SELECT house AS whole, ROW('made', house.id)::address AS made FROM house ORDER BY id;
