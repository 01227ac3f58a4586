-- name: GetUser :one
SELECT name FROM users WHERE id = @id;
