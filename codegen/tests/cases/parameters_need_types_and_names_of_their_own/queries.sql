-- name: TwoTypes :one
INSERT INTO users (id, name) VALUES ($1, $1) RETURNING id;

-- name: NoFit :exec
UPDATE users SET id = name;

-- name: OneName :many
SELECT id FROM users WHERE id = @user_id AND note = @userId;

-- name: TakenName :many
SELECT id FROM users WHERE id = @starmap;

-- name: SharedA :many
-- row: Shared
SELECT id, name FROM users;

-- name: SharedB :many
-- row: Shared
SELECT id, note FROM users;

-- name: BatchSome :batchexec
UPDATE users SET note = 'x' WHERE id = @id
  AND name = @name -- :if name
;

-- name: SetNothing :exec
UPDATE users SET
  note = 'x', -- :set note
  name = @name
WHERE id = @id;

-- name: TooMany :many
SELECT id FROM users WHERE true
  OR id = @a -- :if a
  OR id = @b -- :if b
  OR id = @c -- :if c
  OR id = @d -- :if d
  OR id = @e -- :if e
  OR id = @f -- :if f
  OR id = @g -- :if g
  OR id = @h -- :if h
  OR id = @i -- :if i
  OR id = @j -- :if j
  OR id = @k -- :if k
;
