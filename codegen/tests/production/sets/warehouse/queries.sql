-- name: PricingSummary :many
SELECT flag, sum(quantity) AS quantity, sum(price) AS price, avg(discount) AS discount, count(*) AS lines
FROM line WHERE shipped_on <= '2023-09-01' GROUP BY flag ORDER BY flag;
-- name: CheapestSupplier :many
SELECT s.id, s.name, p.id AS part_id FROM part p JOIN stock k ON k.part_id = p.id JOIN supplier s ON s.id = k.supplier_id
WHERE p.size = 15 AND p.brand = 'brand 3'
    AND k.cost = (SELECT min(i.cost) FROM stock i WHERE i.part_id = p.id);
-- name: ShippingPriority :many
SELECT l.order_id, sum(l.price * (1 - l.discount)) AS revenue FROM customer c
JOIN orders o ON o.customer_id = c.id JOIN line l ON l.order_id = o.id
WHERE c.segment = 'auto' AND o.ordered_at < '2018-02-01' AND l.shipped_on > '2018-02-01'
GROUP BY l.order_id ORDER BY revenue DESC LIMIT 10;
-- name: OrderPriority :many
SELECT o.priority, count(*) AS orders FROM orders o
WHERE o.ordered_at >= '2020-07-01' AND o.ordered_at < '2020-08-01'
    AND EXISTS (SELECT FROM line l WHERE l.order_id = o.id AND l.flag = 'R')
GROUP BY o.priority ORDER BY o.priority;
-- name: LocalSuppliers :many
SELECT n.name, sum(l.price) AS revenue FROM region r JOIN nation n ON n.region_id = r.id JOIN customer c ON c.nation_id = n.id
JOIN orders o ON o.customer_id = c.id JOIN line l ON l.order_id = o.id JOIN supplier s ON s.id = l.supplier_id AND s.nation_id = n.id
WHERE r.name = 'region 2' AND o.ordered_at >= '2021-01-01' AND o.ordered_at < '2021-03-01' GROUP BY n.name ORDER BY revenue DESC;
-- name: Forecast :one
SELECT sum(price * discount) AS revenue FROM line
WHERE shipped_on >= '2022-01-01' AND shipped_on < '2022-02-01' AND discount BETWEEN 0.05 AND 0.07 AND quantity < 24;
-- name: Volume :many
SELECT n.name, date_trunc('year', l.shipped_on)::date AS year, sum(l.price) AS volume FROM supplier s
JOIN line l ON l.supplier_id = s.id JOIN nation n ON n.id = s.nation_id WHERE n.name = 'nation 7' GROUP BY 1, 2 ORDER BY 1, 2;
-- name: Returned :many
SELECT c.id, c.email, sum(l.price) AS lost FROM customer c JOIN orders o ON o.customer_id = c.id JOIN line l ON l.order_id = o.id
WHERE o.ordered_at >= '2020-01-01' AND o.ordered_at < '2020-02-01' AND l.flag = 'R'
GROUP BY c.id, c.email ORDER BY lost DESC LIMIT 20;
-- name: ImportantStock :many
SELECT k.part_id, sum(k.cost * k.available) AS value FROM stock k JOIN supplier s ON s.id = k.supplier_id
JOIN nation n ON n.id = s.nation_id WHERE n.name = @nation GROUP BY k.part_id HAVING sum(k.cost * k.available) > @least::numeric;
-- name: CustomersWithoutOrders :many
SELECT c.id FROM customer c WHERE NOT EXISTS (SELECT FROM orders o WHERE o.customer_id = c.id) AND c.deleted_at IS NULL;
-- name: TopCustomers :many
SELECT o.customer_id, sum(o.total) AS spent FROM orders o GROUP BY o.customer_id ORDER BY spent DESC LIMIT 100;
-- name: LargeOrders :many
SELECT o.id, o.total FROM orders o WHERE o.id IN (SELECT l.order_id FROM line l GROUP BY l.order_id HAVING sum(l.quantity) > 300);
-- name: GetOrder :one
SELECT id, status, total FROM orders WHERE id = @id;
-- name: GetOrders :many
SELECT id, status FROM orders WHERE id = ANY (@ids::bigint[]);
-- name: LinesOfOrder :many
SELECT l.number, p.brand, l.quantity FROM line l JOIN part p ON p.id = l.part_id WHERE l.order_id = @order_id ORDER BY l.number;
-- name: OrdersOfCustomer :many
SELECT id, status, total FROM orders WHERE customer_id = @customer_id ORDER BY ordered_at DESC LIMIT 20;
-- name: FindByEmail :many
SELECT id, city FROM customer WHERE lower(email) = lower(@email);
-- name: FindByPhone :many
SELECT id, email FROM customer WHERE phone = @phone;
-- name: FindByZip :many
SELECT id, email FROM customer WHERE zip = @zip;
-- name: FindByPlace :many
SELECT id, email FROM customer WHERE city = 'city 7' AND zip = 'zip 7-1';
-- name: OpenOrders :many
SELECT id, total FROM orders WHERE status = 'open' AND ordered_at >= @since ORDER BY ordered_at;
-- name: CountOpen :one
SELECT count(*) FROM orders WHERE status = 'open';
-- name: ByStatus :many
SELECT id FROM orders WHERE status = @status AND ordered_at >= '2023-12-20';
-- name: Recent :many
SELECT id, customer_id, total FROM orders ORDER BY ordered_at DESC LIMIT 50;
-- name: ClerkOrders :many
SELECT id, total FROM orders WHERE clerk = @clerk ORDER BY ordered_at DESC;
-- name: PartsOfBrand :many
SELECT id, price FROM part WHERE brand = @brand AND size = @size;
-- name: PartsBySize :many
SELECT id, brand FROM part WHERE brand = 'brand 9' AND size BETWEEN 10 AND 12 ORDER BY price;
-- name: PartsByTag :many
SELECT id FROM part WHERE tags @> ARRAY['tag 321'];
-- name: PartsByAnyTag :many
SELECT id FROM part WHERE tags && @tags::text[];
-- name: Suppliers :many
SELECT s.id, s.name, k.cost FROM stock k JOIN supplier s ON s.id = k.supplier_id WHERE k.part_id = @part_id ORDER BY k.cost;
-- name: StockOfSupplier :many
SELECT p.id, p.brand, k.available FROM stock k JOIN part p ON p.id = k.part_id WHERE k.supplier_id = @supplier_id;
-- name: SoldParts :many
SELECT l.order_id, l.quantity FROM line l WHERE l.part_id = @part_id AND l.supplier_id = @supplier_id;
-- name: SoldOfPart :one
SELECT sum(quantity) AS quantity FROM line WHERE part_id = @part_id;
-- name: ShippedOn :many
SELECT order_id, number FROM line WHERE shipped_on = @day;
-- name: ShippedBetween :one
SELECT count(*) FROM line WHERE shipped_on BETWEEN @first AND @last;
-- name: CustomersOfNation :many
SELECT c.id, c.balance FROM customer c JOIN nation n ON n.id = c.nation_id WHERE n.name = 'nation 24' ORDER BY c.balance DESC LIMIT 10;
-- name: NationsByCustomers :many
SELECT nation_id, count(*) AS customers FROM customer GROUP BY nation_id;
-- name: RareNation :many
SELECT id, email FROM customer WHERE nation_id = 25;
-- name: FrequentNation :many
SELECT id, email FROM customer WHERE nation_id = 1;
-- name: SuppliersOfNation :many
SELECT id, name FROM supplier WHERE nation_id = @nation_id;
-- name: EventsOfCustomer :many
SELECT id, at, kind FROM event WHERE customer_id = @customer_id ORDER BY at DESC LIMIT 20;
-- name: EventsOfDay :one
SELECT count(*) FROM event WHERE at >= '2024-06-01' AND at < '2024-06-02';
-- name: EventsOfMonth :many
SELECT kind, count(*) AS events FROM event WHERE at >= '2024-06-01' AND at < '2024-07-01' GROUP BY kind;
-- name: Buyers :many
SELECT DISTINCT e.customer_id FROM event e JOIN customer c ON c.id = e.customer_id
WHERE e.kind = 'buy' AND e.at >= @since AND c.nation_id = @nation_id;
-- name: PageOfOrders :many
SELECT id, total FROM orders WHERE (ordered_at, id) < (@at::timestamptz, @id::bigint) ORDER BY ordered_at DESC, id DESC LIMIT 20;
-- name: LatestOfEach :many
SELECT c.id, o.id AS order_id FROM customer c
CROSS JOIN LATERAL (SELECT o.id FROM orders o WHERE o.customer_id = c.id ORDER BY o.ordered_at DESC LIMIT 1) o WHERE c.zip = @zip;
-- name: Ranked :many
SELECT id, rank() OVER (PARTITION BY customer_id ORDER BY total DESC) AS place FROM orders WHERE customer_id = @customer_id;
-- name: Spenders :many
WITH spent AS (SELECT customer_id, sum(total) AS total FROM orders WHERE ordered_at >= '2023-06-01' GROUP BY customer_id)
SELECT c.email, spent.total FROM spent JOIN customer c ON c.id = spent.customer_id WHERE spent.total > 500000;
-- name: Unsold :many
SELECT k.part_id, k.supplier_id FROM stock k LEFT JOIN line l ON l.part_id = k.part_id AND l.supplier_id = k.supplier_id
WHERE l.order_id IS NULL AND k.supplier_id = @supplier_id;
-- name: MarkSent :exec
UPDATE orders SET status = 'sent' WHERE id = @id;
-- name: MarkOverdue :exec
UPDATE orders SET priority = 1 WHERE status = 'open' AND ordered_at < '2018-03-01';
-- name: DeleteCustomer :exec
DELETE FROM customer WHERE id = @id;
-- name: DeleteOrder :exec
DELETE FROM orders WHERE id = @id;
-- name: DeleteStock :exec
DELETE FROM stock WHERE part_id = @part_id AND supplier_id = @supplier_id;
-- name: DeleteSupplier :exec
DELETE FROM supplier WHERE id = @id;
-- name: AddOrder :exec
INSERT INTO orders (id, customer_id, status, total, ordered_at, priority, clerk)
VALUES (@id, @customer_id, 'open', @total, now(), 1, @clerk);
-- name: CopyLines :exec
INSERT INTO line (order_id, number, part_id, supplier_id, quantity, price, discount, shipped_on, flag)
SELECT @to_order, l.number, l.part_id, l.supplier_id, l.quantity, l.price, l.discount, l.shipped_on, l.flag
FROM line l WHERE l.order_id = @from_order;
-- name: FindOrders :many
SELECT id, total FROM orders
WHERE TRUE
  AND customer_id = @customer_id -- :if customer_id
  AND clerk = @clerk -- :if clerk
  AND ordered_at >= @since -- :if since
ORDER BY ordered_at DESC -- :sort ordered_at, id
LIMIT 50;
