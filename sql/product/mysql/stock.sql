-- The stock of products and the ledger that explains it.

-- name: MoveStock :execrows
-- Add to a stock, or with a negative number take from it. No row where there is not enough.
UPDATE product SET stock = stock + sqlc.arg(delta), version = version + 1, updated_at = now(6)
WHERE id = sqlc.arg(id) AND stock + sqlc.arg(delta) >= 0;

-- name: AddMovement :exec
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
