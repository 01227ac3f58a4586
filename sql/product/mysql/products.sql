-- Products: read, listed in a chosen order, and changed.

-- name: GetProduct :one
SELECT * FROM product WHERE id = sqlc.arg(id) AND status <> 'deleted';

-- name: LockProduct :one
-- The product as it is, to be changed by this transaction alone.
SELECT * FROM product WHERE id = sqlc.arg(id) AND status <> 'deleted' FOR UPDATE;

-- name: FindProducts :many
SELECT * FROM product WHERE id IN (sqlc.slice(ids));

-- name: LockProducts :many
-- In the order of their ids, so that two who lock the same ones do not deadlock.
SELECT * FROM product WHERE id IN (sqlc.slice(ids)) ORDER BY id FOR UPDATE;

-- fragment: listed_products()
-- The products that match the filters of a list. `search` is a LIKE pattern.
product
WHERE status = sqlc.arg(status)
    AND price BETWEEN sqlc.arg(min_price) AND sqlc.arg(max_price)
    AND stock >= sqlc.arg(min_stock)
    AND currency = sqlc.arg(currency) -- :if currency
    AND (lower(name) LIKE lower(sqlc.arg(search)) OR lower(description) LIKE lower(sqlc.arg(search))) -- :if search
;

-- name: ListProducts :page
-- One page of the products that match, in the order asked for, equal ones by id.
-- `search` is a LIKE pattern.
SELECT * FROM sqlc.include(listed_products)
ORDER BY
    name, -- :sort name asc|desc, price asc|desc, created_at asc|desc
    id
LIMIT sqlc.arg(page_size) OFFSET sqlc.arg(skip);

-- name: WalkProducts :page
-- The same products, from a cursor on.
SELECT * FROM sqlc.include(listed_products)
ORDER BY
    name, -- :sort name asc|desc, price asc|desc, created_at asc|desc
    id;

-- name: AddProduct :exec
INSERT INTO product (id, name, description, price, currency, stock, status)
VALUES (sqlc.arg(id), sqlc.arg(name), sqlc.arg(description), sqlc.arg(price), sqlc.arg(currency), sqlc.arg(stock), sqlc.arg(status));

-- name: ChangeProduct :exec
-- Columns without a given value keep theirs.
UPDATE product SET
    name = sqlc.arg(name), -- :set
    description = sqlc.arg(description), -- :set
    price = sqlc.arg(price), -- :set
    stock = sqlc.arg(stock), -- :set
    status = sqlc.arg(status), -- :set
    version = version + 1,
    updated_at = now(6)
WHERE id = sqlc.arg(id) AND status <> 'deleted';

-- name: AddPrice :exec
INSERT INTO price_change (id, product_id, price, currency, changed_by)
VALUES (sqlc.arg(id), sqlc.arg(product_id), sqlc.arg(price), sqlc.arg(currency), sqlc.arg(changed_by));

-- name: ListPrices :page
-- What a product has cost, newest first.
SELECT * FROM price_change WHERE product_id = sqlc.arg(product_id)
ORDER BY id DESC
LIMIT sqlc.arg(page_size) OFFSET sqlc.arg(skip);

-- name: WalkPrices :page
-- The same prices, from a cursor on.
SELECT * FROM price_change WHERE product_id = sqlc.arg(product_id)
ORDER BY id DESC;
