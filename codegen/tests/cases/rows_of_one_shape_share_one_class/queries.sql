-- name: GetCity :one
SELECT id, name FROM city WHERE id = @id;

-- name: ListCities :many
SELECT id, name FROM city ORDER BY name;

-- name: ListMayors :many
SELECT id, mayor AS name FROM city ORDER BY name;
