-- name: GetValue :one
SELECT value FROM counter WHERE id = @id;

-- name: SetValue :execrows
UPDATE counter SET value = @value WHERE id = @id;

-- name: ListCounters :many
SELECT * FROM counter;

-- name: CopyCounters :copyfrom
INSERT INTO counter (id, value) VALUES (@id, @value);

-- name: RaiseAll :batchexec
UPDATE counter SET value = value + 1 WHERE id = @id;

-- name: StreamCounters :stream
SELECT * FROM counter ORDER BY id;
