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
  AND id = @a -- :if a
  AND id = @b -- :if b
  AND id = @c -- :if c
  AND id = @d -- :if d
  AND id = @e -- :if e
  AND id = @f -- :if f
  AND id = @g -- :if g
  AND id = @h -- :if h
  AND id = @i -- :if i
  AND id = @j -- :if j
  AND id = @k -- :if k
;
