-- Departments: read, and listed in a chosen order.

-- name: GetDepartment :one
SELECT * FROM department WHERE id = sqlc.arg(id);

-- name: ListDepartmentsByName :page
SELECT * FROM department
WHERE CAST(sqlc.narg(search) AS CHAR) IS NULL OR name LIKE sqlc.narg(search) OR address LIKE sqlc.narg(search)
ORDER BY lower(name) COLLATE utf8mb4_bin
LIMIT sqlc.arg(page_size) OFFSET sqlc.arg(skip);

-- name: ListDepartmentsByNameDesc :page
SELECT * FROM department
WHERE CAST(sqlc.narg(search) AS CHAR) IS NULL OR name LIKE sqlc.narg(search) OR address LIKE sqlc.narg(search)
ORDER BY lower(name) COLLATE utf8mb4_bin DESC
LIMIT sqlc.arg(page_size) OFFSET sqlc.arg(skip);

-- name: ListDepartmentsByAge :page
-- Oldest first.
SELECT * FROM department
WHERE CAST(sqlc.narg(search) AS CHAR) IS NULL OR name LIKE sqlc.narg(search) OR address LIKE sqlc.narg(search)
ORDER BY created_at, id
LIMIT sqlc.arg(page_size) OFFSET sqlc.arg(skip);

-- name: ListDepartmentsByAgeDesc :page
-- Newest first.
SELECT * FROM department
WHERE CAST(sqlc.narg(search) AS CHAR) IS NULL OR name LIKE sqlc.narg(search) OR address LIKE sqlc.narg(search)
ORDER BY created_at DESC, id DESC
LIMIT sqlc.arg(page_size) OFFSET sqlc.arg(skip);
