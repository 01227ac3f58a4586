-- name: TwoIds :many
SELECT a.id, b.id, b.name AS id_2, b.note, a.id FROM users a JOIN users b ON b.id = a.friend;

-- name: Between :many
SELECT name FROM users WHERE id > $1 AND id < $2 ORDER BY id;

-- name: ByName :many
SELECT id FROM users WHERE name = $1 OR name = $2 OR note = $3;

-- name: WithFriend :many
SELECT sqlc.embed(a), sqlc.embed(b), a.id AS a FROM users a JOIN users b ON b.id = a.friend;

-- name: CopyCast :copyfrom
INSERT INTO users (name, id, friend, note)
VALUES ($2::text, CAST($1 AS integer), $3::bigint, $4::text);

-- name: Numbered :many
-- ignore: E401 the two are told apart by their numbers
SELECT a.id, b.id FROM users a JOIN users b ON b.id = a.friend;

-- name: NameByID :one
SELECT name FROM users WHERE id = @id;

-- name: NameById :one
SELECT id, name FROM users WHERE id = @id;
