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
;

-- name: Misspelt :many
SELECT id FROM users
WHERE id > 0
  AND name = @name -- :if nmae
;

-- name: MisspeltInPair :many
SELECT id FROM users
WHERE (name, id) > (@name, @after) -- :if name, aftr
;

-- name: MisspeltBlock :many
SELECT id FROM users
WHERE id <> @other
-- :if othr
  AND name = 'x'
-- :end
;

-- name: Another :many
SELECT id FROM users
WHERE name = @search -- :if q
;

-- name: UnknownSet :exec
UPDATE users SET
    name = @name, -- :set nam
    note = 'x'
WHERE id = @id;

-- name: Torn :many
SELECT id FROM users
WHERE id > 0 AND (name = @name -- :if name
  OR note = @note) -- :if note
;

-- name: AFlag :many
SELECT id FROM users
WHERE id > @id
  AND note IS NULL -- :if no_id
;
