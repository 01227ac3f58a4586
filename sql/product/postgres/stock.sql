-- The stock of products and the ledger that explains it.

-- name: MoveStocks :execrows
-- Give products the stock and the version that their next movement says.
UPDATE product SET stock = m.stock_after, version = m.product_version, updated_at = now()
FROM stock_movement AS m
WHERE product.id = ANY (@ids::uuid[]) AND m.product_id = product.id AND m.product_version = product.version + 1;

-- name: AddMovements :exec :bulk
INSERT INTO stock_movement (id, product_id, product_version, delta, stock_after, reason, reservation_id, actor)
VALUES (@id, @product_id, @product_version, @delta, @stock_after, @reason, sqlc.narg(reservation_id), @actor);

-- name: ListMovements :page
-- The ledger of a product, newest first.
SELECT * FROM stock_movement WHERE product_id = @product_id
ORDER BY product_version DESC
LIMIT @page_size OFFSET @skip;

-- name: WalkMovements :page
-- The same movements, from a cursor on.
SELECT * FROM stock_movement WHERE product_id = @product_id
ORDER BY product_version DESC;
