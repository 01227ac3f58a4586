-- Products: read, listed in a chosen order, and changed.

-- name: GetProduct :one
SELECT * FROM product WHERE id = @id AND status <> 'deleted';

-- name: LockProduct :one
-- The product as it is, to be changed by this transaction alone.
SELECT * FROM product WHERE id = @id AND status <> 'deleted' FOR UPDATE;

-- name: FindProducts :many
SELECT * FROM product WHERE id = ANY (@ids::uuid[]);

-- name: LockProducts :many
-- In the order of their ids, so that two who lock the same ones do not deadlock.
SELECT * FROM product WHERE id = ANY (@ids::uuid[]) ORDER BY id FOR UPDATE;

-- fragment: listed_products()
-- The products that match the filters of a list. `search` is a LIKE pattern.
product
WHERE status = @status
    AND price BETWEEN @min_price AND @max_price
    AND stock >= @min_stock
    AND currency = @currency -- :if currency
    AND (name ILIKE @search OR description ILIKE @search) -- :if search
;

-- name: ListProducts :page
-- ignore: V030 a shop has few currencies, and the statistics assume 2,000
-- One page of the products that match, in the order asked for, equal ones by id.
-- `search` is a LIKE pattern.
SELECT * FROM sqlc.include(listed_products)
ORDER BY
    name, -- :sort name asc|desc, price asc|desc, created_at asc|desc
    id
LIMIT @page_size OFFSET @skip;

-- name: WalkProducts :page
-- ignore: V030 a shop has few currencies, and the statistics assume 2,000
-- The same products, from a cursor on.
SELECT * FROM sqlc.include(listed_products)
ORDER BY
    name, -- :sort name asc|desc, price asc|desc, created_at asc|desc
    id;

-- name: AddProduct :exec
INSERT INTO product (id, name, description, price, currency, stock, status)
VALUES (@id, @name, @description, @price, @currency, @stock, @status);

-- name: ChangeProduct :exec
-- Columns without a given value keep theirs.
UPDATE product SET
    name = @name, -- :set
    description = @description, -- :set
    price = @price, -- :set
    stock = @stock, -- :set
    status = @status, -- :set
    version = version + 1,
    updated_at = now()
WHERE id = @id AND status <> 'deleted';

-- name: AddPrice :exec
INSERT INTO price_change (id, product_id, price, currency, changed_by)
VALUES (@id, @product_id, @price, @currency, @changed_by);

-- name: ListPrices :page
-- What a product has cost, newest first.
SELECT * FROM price_change WHERE product_id = @product_id
ORDER BY id DESC
LIMIT @page_size OFFSET @skip;

-- name: WalkPrices :page
-- The same prices, from a cursor on.
SELECT * FROM price_change WHERE product_id = @product_id
ORDER BY id DESC;
