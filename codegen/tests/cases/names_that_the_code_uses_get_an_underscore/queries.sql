-- name: ListExecutors :many
SELECT * FROM executor WHERE name = @db;

-- name: List :many
SELECT id FROM executor WHERE name = @list;

-- name: NextDay :one
SELECT (@date::date + 1)::date AS next;

-- name: Starmap :many
SELECT id, kind FROM mark;

-- name: Dataclass :many
SELECT id, sum(id * 1.5) AS amount FROM executor GROUP BY id;
