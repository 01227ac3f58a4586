-- name: ListProducts :page
-- List products by name.
SELECT * FROM product ORDER BY name, id LIMIT @page_size OFFSET @skip;

-- name: ListNames :page
SELECT upper(name) FROM product
WHERE price <= @most -- :if most
ORDER BY name, -- :sort name asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- name: ListPrices :page
SELECT DISTINCT price FROM product ORDER BY price NULLS FIRST LIMIT 2 OFFSET @skip;
