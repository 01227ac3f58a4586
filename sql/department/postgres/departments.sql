-- Departments: read, and listed in a chosen order.

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
