-- name: None_ :one
SELECT id FROM users WHERE id = sqlc.arg();

-- name: Two :one
SELECT id FROM users WHERE id = sqlc.arg(a, b);

-- name: Nested :one
SELECT id FROM users WHERE id = sqlc.arg(sqlc.arg(a));

-- name: Number :one
SELECT id FROM users WHERE id = sqlc.narg($1);
