-- name: GetUser :one
SELECT * FROM users WHERE id = @id;

-- name: GetUser :many
SELECT * FROM users;

-- name: get_user :one
SELECT name FROM users WHERE id = @id;

-- name: getUser :many
SELECT name, note FROM users;

-- name: States :one
SELECT 'on'::state AS a, 'off'::"State" AS b, 'gone'::"STATE" AS c;
