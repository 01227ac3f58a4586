-- name: First :many
SELECT id, nam FROM users;

-- name: Second :one
SELECT sqlc.argh(id);

-- name: Third :many
SELECT * FROM userz;

-- name: Fourth :one
SELECT * FROM users WHERE id = $1;

-- name: Fifth :many
SELECT id, id FROM users;

-- name: Sixth :execlastid
DELETE FROM users WHERE id = $1;
