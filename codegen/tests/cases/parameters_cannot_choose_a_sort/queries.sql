-- name: Sorted :many
SELECT id FROM users ORDER BY @sort::text DESC, id;

-- name: Numbered :many
SELECT id FROM users ORDER BY $1;

-- name: Grouped :many
SELECT count(*) FROM users GROUP BY sqlc.arg(key)::text;

-- name: Fine :many
SELECT id FROM users ORDER BY CASE WHEN @by_name::bool THEN name END, @offset::int + id;

-- name: WithinGroup :one
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY @value::int) FROM users;
