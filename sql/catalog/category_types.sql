-- Types of categories: the top of the catalogue.

-- name: GetCategoryType :one
SELECT * FROM category_type WHERE id = @id;

-- name: LockCategoryType :one
-- As it is, to be changed by this transaction alone; what is below may still be added.
SELECT * FROM category_type WHERE id = @id FOR NO KEY UPDATE;

-- name: ListCategoryTypes :page
-- One page, in the order asked for, equal ones by id. `search` is a LIKE pattern.
SELECT * FROM category_type
WHERE true
    AND name ILIKE @search -- :if search
ORDER BY
    name, -- :sort name asc|desc, created_at asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- tenant: all administrators maintain the catalogue, which belongs to no provider
-- name: AddCategoryType :exec
INSERT INTO category_type (id, name) VALUES (@id, @name);

-- tenant: all administrators maintain the catalogue, which belongs to no provider
-- name: ChangeCategoryType :execrows
-- Columns without a given value keep theirs.
UPDATE category_type SET
    name = @name, -- :set
    version = version + 1,
    updated_at = now()
WHERE id = @id;

-- tenant: all administrators maintain the catalogue, which belongs to no provider
-- name: RemoveCategoryType :execrows
DELETE FROM category_type WHERE id = @id;
