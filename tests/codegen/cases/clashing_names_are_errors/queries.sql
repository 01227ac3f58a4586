-- name: TwoIds :many
SELECT a.id, b.id FROM users a JOIN users b USING (name);

-- name: ReservedParameter :many
SELECT id FROM users WHERE name = @db;

-- name: SameRow :many
-- row: Shared
SELECT id FROM users;

-- name: CopySome :copyfrom
INSERT INTO users (id, name) VALUES (@id, lower(@name));

-- name: LastId :execlastid
INSERT INTO users (id, name) VALUES (@id, @name);

-- name: List :many
SELECT id FROM users;

-- name: Shadowing :many
SELECT id FROM users WHERE name = @list;

-- name: NextDay :one
SELECT @date::date + 1;

-- name: Starmap :many
SELECT id, name FROM users;

-- name: Dataclass :many
SELECT id, name AS other FROM users;
