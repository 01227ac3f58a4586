-- name: ListSales :arrow
-- All sales since a time, as columns.
SELECT * FROM sale WHERE sold_at >= @since ORDER BY id;

-- name: SalesByShop :arrow
SELECT shop_id, sum(price)::numeric(20, 2) AS total, count(*) AS sales -- the total
FROM sale
WHERE note LIKE '%$1%' -- :if noted
  AND shop_id = ANY(@shops) -- :if shops
GROUP BY shop_id
ORDER BY shop_id; -- :sort shop_id asc|desc
