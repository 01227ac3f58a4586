-- name: ListShopsOfWith :many
WITH open AS (SELECT shop.* FROM shop WHERE shop.name <> 'closed')
SELECT sqlc.embed(open), length(open.name) AS letters FROM open ORDER BY open.id;

-- name: ListTotals :many
SELECT shop.id, sqlc.embed(total)
FROM shop
JOIN (SELECT shop_id, sum(amount) AS amount, count(*) AS sales FROM sale GROUP BY shop_id) total
    ON total.shop_id = shop.id
ORDER BY shop.id;

-- name: ListMaybeTotals :many
WITH total AS (SELECT shop_id, count(*) AS sales FROM sale GROUP BY shop_id)
SELECT sqlc.embed(shop), sqlc.embed(total)
FROM shop
LEFT JOIN total ON total.shop_id = shop.id
ORDER BY shop.id;

-- name: ListNames :many
WITH called AS (SELECT name FROM shop) SELECT sqlc.embed(called) FROM called ORDER BY name;

-- name: LastName :one
WITH called AS (SELECT max(name) AS name FROM shop) SELECT sqlc.embed(called) FROM called;
