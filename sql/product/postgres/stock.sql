-- The stock of products and the ledger that explains it.

-- name: MoveStock :execrows
-- Add to a stock, or with a negative number take from it. No row where there is not enough.
UPDATE product SET stock = stock + @delta, version = version + 1, updated_at = now()
WHERE id = @id AND stock + @delta >= 0;

-- name: AddMovement :exec
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
