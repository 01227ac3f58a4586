-- People and their moods.

-- name: AddPerson :one
-- Adds one person and returns it as stored.
INSERT INTO people (id, name, mood, tags, salary)
VALUES (@id, @name, @mood, @tags, @salary)
RETURNING *;

-- name: GetPerson :one
SELECT * FROM people WHERE id = @id;

-- name: ListByMood :many
SELECT mood, name FROM people WHERE mood = @mood;
