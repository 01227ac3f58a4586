-- Categories, each of one type.

-- name: GetCategory :one
SELECT * FROM category WHERE id = @id;

-- name: LockCategory :one
-- As it is, to be changed by this transaction alone; what is below may still be added.
SELECT * FROM category WHERE id = @id FOR NO KEY UPDATE;

-- name: ListCategories :page
-- One page, in the order asked for, equal ones by id. `search` is a LIKE pattern.
SELECT * FROM category
WHERE true
    AND type_id = @type_id -- :if type_id
    AND name ILIKE @search -- :if search
ORDER BY
    name, -- :sort name asc|desc, created_at asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- tenant: all administrators maintain the catalogue, which belongs to no provider
-- name: AddCategory :exec
INSERT INTO category (id, type_id, name) VALUES (@id, @type_id, @name);

-- tenant: all administrators maintain the catalogue, which belongs to no provider
-- name: ChangeCategory :execrows
-- Columns without a given value keep theirs.
UPDATE category SET
    type_id = @type_id, -- :set
    name = @name, -- :set
    version = version + 1,
    updated_at = now()
WHERE id = @id;

-- tenant: all administrators maintain the catalogue, which belongs to no provider
-- name: RemoveCategory :execrows
DELETE FROM category WHERE id = @id;
