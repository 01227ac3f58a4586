-- Departments: read, listed in a chosen order, and changed under version control.

-- name: GetDepartment :one
SELECT * FROM department WHERE id = @id;

-- name: CountDepartments :one
-- How many departments the list has in all, or with a search how many match it.
SELECT count(*) FROM department
WHERE sqlc.narg(search)::text IS NULL OR name ILIKE sqlc.narg(search) OR address ILIKE sqlc.narg(search);

-- name: ListDepartmentsByName :many
SELECT * FROM department
WHERE sqlc.narg(search)::text IS NULL OR name ILIKE sqlc.narg(search) OR address ILIKE sqlc.narg(search)
ORDER BY lower(name)
LIMIT @page_size OFFSET @skip;

-- name: ListDepartmentsByNameDesc :many
SELECT * FROM department
WHERE sqlc.narg(search)::text IS NULL OR name ILIKE sqlc.narg(search) OR address ILIKE sqlc.narg(search)
ORDER BY lower(name) DESC
LIMIT @page_size OFFSET @skip;

-- name: ListDepartmentsByAge :many
-- Oldest first.
SELECT * FROM department
WHERE sqlc.narg(search)::text IS NULL OR name ILIKE sqlc.narg(search) OR address ILIKE sqlc.narg(search)
ORDER BY created_at, id
LIMIT @page_size OFFSET @skip;

-- name: ListDepartmentsByAgeDesc :many
-- Newest first.
SELECT * FROM department
WHERE sqlc.narg(search)::text IS NULL OR name ILIKE sqlc.narg(search) OR address ILIKE sqlc.narg(search)
ORDER BY created_at DESC, id DESC
LIMIT @page_size OFFSET @skip;

-- name: AddDepartment :exec
INSERT INTO department (id, name, address) VALUES (@id, @name, sqlc.narg(address));

-- name: ChangeDepartment :execrows
-- No row where the department is gone or no longer has this version.
UPDATE department
SET name = @name, address = sqlc.narg(address), version = version + 1, updated_at = now()
WHERE id = @id AND version = @version;

-- name: RemoveDepartment :execrows
DELETE FROM department WHERE id = @id AND version = @version;
