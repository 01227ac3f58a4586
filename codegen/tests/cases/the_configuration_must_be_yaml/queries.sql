-- name: Ids :many
SELECT id FROM users;
