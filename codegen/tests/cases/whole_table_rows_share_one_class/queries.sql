-- People and their moods.

-- name: AddPerson :one
-- Adds one person and returns it as stored.
INSERT INTO people (id, name, mood, tags, salary)
VALUES (@id, @name, @mood, @tags, @salary)
RETURNING *;

-- name: GetPerson :one
SELECT * FROM people WHERE id = @id;

-- name: ListPeople :many
SELECT id, name, mood, tags, salary, joined
FROM people
ORDER BY name;

-- name: ListNames :many
SELECT name FROM people WHERE id = ANY (@ids::uuid[]) ORDER BY name;

-- name: ListByMood :many
SELECT mood, name FROM people WHERE mood = @mood;

-- name: CountPeople :one
SELECT count(*) FROM people;

-- name: RenamePerson :execrows
UPDATE people SET name = @name WHERE id = @id;

-- name: RemovePerson :exec
DELETE FROM people WHERE id = @id;

-- name: ListSizes :many
SELECT * FROM size;

-- name: GetPersonInMood :one
SELECT * FROM people WHERE id = @id AND mood = @mood;

-- name: GatherPeople :many
SELECT s.id, ARRAY(SELECT p FROM people AS p ORDER BY p.id) AS whole FROM size AS s;
