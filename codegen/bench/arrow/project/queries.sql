-- name: SalesBatch :arrow
SELECT * FROM sale WHERE id >= @least;

-- name: SalesRows :many
SELECT * FROM sale WHERE id >= @least;
