-- name: GetUser :one
SELECT * FROM users WHERE id = @id;

-- name: GetUser :many
SELECT * FROM users;

-- name: get_user :one
SELECT name FROM users WHERE id = @id;
