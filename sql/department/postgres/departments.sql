-- Departments: read, and listed in a chosen order.

-- name: GetDepartment :one
SELECT * FROM department WHERE id = @id;

-- name: ListDepartmentsByName :page
SELECT * FROM department
WHERE sqlc.narg(search)::text IS NULL OR name ILIKE sqlc.narg(search) OR address ILIKE sqlc.narg(search)
ORDER BY lower(name)
LIMIT @page_size OFFSET @skip;

-- name: ListDepartmentsByNameDesc :page
SELECT * FROM department
WHERE sqlc.narg(search)::text IS NULL OR name ILIKE sqlc.narg(search) OR address ILIKE sqlc.narg(search)
ORDER BY lower(name) DESC
LIMIT @page_size OFFSET @skip;

-- name: ListDepartmentsByAge :page
-- Oldest first.
SELECT * FROM department
WHERE sqlc.narg(search)::text IS NULL OR name ILIKE sqlc.narg(search) OR address ILIKE sqlc.narg(search)
ORDER BY created_at, id
LIMIT @page_size OFFSET @skip;

-- name: ListDepartmentsByAgeDesc :page
-- Newest first.
SELECT * FROM department
WHERE sqlc.narg(search)::text IS NULL OR name ILIKE sqlc.narg(search) OR address ILIKE sqlc.narg(search)
ORDER BY created_at DESC, id DESC
LIMIT @page_size OFFSET @skip;
