-- The queries and the channels of a shop.

-- notify: order_row orders
-- notify: jobs text

-- name: AddOrder :exec
INSERT INTO orders (id, status, total, placed) VALUES (@id, @status, @total, @placed);

-- An event of an order line.
-- notify: "Line ""changed""" LineChanged
SELECT 'INSERT' AS op, line.id, line.order_id AS "order", nullif(line.sku, '') AS sku FROM "Line" AS line;

-- name: SendLines :exec
SELECT pg_notify('Line "changed"', json_build_object('op', 'sent', 'id', id, 'order', order_id, 'sku', sku)::text)
FROM "Line"
WHERE order_id = @order_id;

-- notify: nested Nested
SELECT
    orders.id, orders.raw, orders.weight, orders.status, orders.placed::date AS day,
    coalesce(
        (SELECT json_agg(row_to_json(line) ORDER BY line.id) FROM "Line" AS line WHERE line.order_id = orders.id), '[]'
    ) AS lines
FROM orders;
