-- name: A :many
SELECT id FROM users
WHERE id = @id -- :iff id
;

-- name: B :many
SELECT id FROM users
-- :if name
WHERE name = @name;

-- name: C :many
SELECT id FROM users
WHERE id = $1 -- :if id
;

-- name: D :exec
UPDATE users SET
    name = @name -- :set
WHERE id = @id;

-- name: E :many
SELECT id FROM users
ORDER BY id -- :sort
;

-- name: H :many
SELECT id FROM users WHERE id = @id -- :if id,
;

-- name: J :many
SELECT id FROM users WHERE id = @id; -- :iff id

-- name: G :many
SELECT id FROM users
WHERE id = @id;
-- :if id

-- name: I :many
SELECT id FROM users;

-- name: Whole :many
SELECT id FROM users WHERE name = @name; -- :if name

-- name: F :many
SELECT id FROM users
WHERE id = @id -- :if id;
