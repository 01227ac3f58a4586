SELECT 1;

-- name: GetUser :one
SELECT * FROM users WHERE id = @id
-- name: Missing :exec
SELECT 2;
