-- The stock of products and the ledger that explains it.

-- name: MoveStocks :execrows
-- Give products the stock and the version that their next movement says.
UPDATE product
JOIN stock_movement AS m ON m.product_id = product.id AND m.product_version = product.version + 1
SET product.stock = m.stock_after, product.version = m.product_version, product.updated_at = now(6)
WHERE product.id IN (sqlc.slice(ids));

-- name: AddMovements :exec :bulk
INSERT INTO stock_movement (id, product_id, product_version, delta, stock_after, reason, reservation_id, actor)
VALUES (sqlc.arg(id), sqlc.arg(product_id), sqlc.arg(product_version), sqlc.arg(delta), sqlc.arg(stock_after), sqlc.arg(reason), sqlc.narg(reservation_id), sqlc.arg(actor));

-- name: ListMovements :page
-- The ledger of a product, newest first.
SELECT * FROM stock_movement WHERE product_id = sqlc.arg(product_id)
ORDER BY product_version DESC
LIMIT sqlc.arg(page_size) OFFSET sqlc.arg(skip);

-- name: WalkMovements :page
-- The same movements, from a cursor on.
SELECT * FROM stock_movement WHERE product_id = sqlc.arg(product_id)
ORDER BY product_version DESC;
