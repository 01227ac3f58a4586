-- name: GetValue :one
SELECT value FROM counter WHERE id = @id;

-- name: SetValue :execrows
UPDATE counter SET value = @value WHERE id = @id;

-- name: ListCounters :many
SELECT * FROM counter;
