-- Orders.

-- name: GetOrder :one
-- Return one order that the viewer may see.
SELECT o.id, o.total FROM orders o
WHERE o.id = @number AND sqlc.include(visible, o);

-- name: ListPriced :many
SELECT o.total, c.name
FROM orders AS o
sqlc.include(buyer, o, c)
WHERE sqlc.include(priced, o)
ORDER BY o.id;

-- fragment: local(x, least)
x.total >= least;

-- name: ListOrders :many
SELECT x.id FROM orders x
WHERE sqlc.include(filters, x)
  AND sqlc.include(local, x, 5) -- :if large
ORDER BY x.id;

-- name: HideOrder :execrows
UPDATE orders SET deleted_at = now() WHERE id = @number AND sqlc.include(visible, orders);
