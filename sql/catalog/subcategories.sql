-- Subcategories, each of one category.

-- name: GetSubcategory :one
SELECT * FROM subcategory WHERE id = @id;

-- name: LockSubcategory :one
-- As it is, to be changed by this transaction alone; what is below may still be added.
SELECT * FROM subcategory WHERE id = @id FOR NO KEY UPDATE;

-- name: ListSubcategories :page
-- One page, in the order asked for, equal ones by id. `search` is a LIKE pattern.
SELECT * FROM subcategory
WHERE true
    AND category_id = @category_id -- :if category_id
    AND category_id IN (SELECT id FROM category WHERE type_id = @type_id) -- :if type_id
    AND name ILIKE @search -- :if search
ORDER BY
    name, -- :sort name asc|desc, created_at asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- tenant: all administrators maintain the catalogue, which belongs to no provider
-- name: AddSubcategory :exec
INSERT INTO subcategory (id, category_id, name) VALUES (@id, @category_id, @name);

-- tenant: all administrators maintain the catalogue, which belongs to no provider
-- name: ChangeSubcategory :execrows
-- Columns without a given value keep theirs.
UPDATE subcategory SET
    category_id = @category_id, -- :set
    name = @name, -- :set
    version = version + 1,
    updated_at = now()
WHERE id = @id;

-- tenant: all administrators maintain the catalogue, which belongs to no provider
-- name: RemoveSubcategory :execrows
DELETE FROM subcategory WHERE id = @id;
