-- name: NoLimit :page
SELECT * FROM product ORDER BY id;

-- name: NoOrder :page
SELECT * FROM product LIMIT @page_size OFFSET @skip;

-- name: Computed :page
SELECT * FROM product ORDER BY id LIMIT @page_size OFFSET (@page - 1) * @page_size;

-- name: Calculated :page
SELECT * FROM product ORDER BY id LIMIT 2 * @half OFFSET @skip;

-- name: Shared :page
SELECT * FROM product WHERE id > @skip ORDER BY id LIMIT 10 OFFSET @skip;

-- name: Both :page
SELECT id FROM product WHERE id < 3 UNION SELECT id FROM product ORDER BY id LIMIT @page_size OFFSET @skip;

-- name: Locked :page
SELECT id FROM product ORDER BY id LIMIT @page_size OFFSET @skip FOR UPDATE;

-- name: Written :page
DELETE FROM product WHERE id = @id RETURNING id;
