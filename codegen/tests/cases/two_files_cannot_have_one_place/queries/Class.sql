-- name: A :many
SELECT id, name, note FROM users;
