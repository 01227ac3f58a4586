-- Services that customers can order, each of one subcategory.

-- name: GetService :one
SELECT * FROM service WHERE id = @id;

-- name: LockService :one
-- As it is, to be changed by this transaction alone; providers may still take it up.
SELECT * FROM service WHERE id = @id FOR NO KEY UPDATE;

-- fragment: listed_services()
-- The services that match the filters of a list. `search` is a LIKE pattern.
service
WHERE true
    AND subcategory_id = @subcategory_id -- :if subcategory_id
    AND (name ILIKE @search OR description ILIKE @search) -- :if search
;

-- name: ListServices :page
-- One page, in the order asked for, equal ones by id. `search` is a LIKE pattern.
SELECT * FROM sqlc.include(listed_services)
ORDER BY
    name, -- :sort name asc|desc, created_at asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- name: WalkServices :page
-- The same services, from a cursor on.
SELECT * FROM sqlc.include(listed_services)
ORDER BY
    name, -- :sort name asc|desc, created_at asc|desc
    id;

-- tenant: all administrators maintain the catalogue, which belongs to no provider
-- name: AddService :exec
INSERT INTO service (id, subcategory_id, name, description)
VALUES (@id, @subcategory_id, @name, @description);

-- tenant: all administrators maintain the catalogue, which belongs to no provider
-- name: ChangeService :execrows
-- Columns without a given value keep theirs.
UPDATE service SET
    subcategory_id = @subcategory_id, -- :set
    name = @name, -- :set
    description = @description, -- :set
    version = version + 1,
    updated_at = now()
WHERE id = @id;

-- tenant: all administrators maintain the catalogue, which belongs to no provider
-- name: RemoveService :execrows
DELETE FROM service WHERE id = @id;
