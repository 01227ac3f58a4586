-- Departments: written under version control, in words that both engines know.

-- name: AddDepartment :exec
INSERT INTO department (id, name, address) VALUES (sqlc.arg(id), sqlc.arg(name), sqlc.narg(address));

-- name: ChangeDepartment :execrows
-- No row where the department is gone or no longer has this version.
UPDATE department
SET name = sqlc.arg(name), address = sqlc.narg(address), version = version + 1,
    updated_at = CURRENT_TIMESTAMP(6)
WHERE id = sqlc.arg(id) AND version = sqlc.arg(version);

-- name: RemoveDepartment :execrows
DELETE FROM department WHERE id = sqlc.arg(id) AND version = sqlc.arg(version);
