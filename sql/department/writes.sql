-- Departments: locked and written, in words that both engines know.

-- name: AddDepartment :exec
INSERT INTO department (id, name, address) VALUES (sqlc.arg(id), sqlc.arg(name), sqlc.narg(address));

-- name: LockDepartment :one
-- The department as it is, to be changed by this transaction alone.
SELECT * FROM department WHERE id = sqlc.arg(id) FOR UPDATE;

-- name: ChangeDepartment :exec
UPDATE department
SET name = sqlc.arg(name), address = sqlc.narg(address), version = version + 1,
    updated_at = CURRENT_TIMESTAMP(6)
WHERE id = sqlc.arg(id);

-- name: RemoveDepartment :exec
DELETE FROM department WHERE id = sqlc.arg(id);
