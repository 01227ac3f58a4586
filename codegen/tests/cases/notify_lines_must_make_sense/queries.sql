-- notify: whoever reads this, it is prose
-- notify: orders
-- notify: Orders orders
-- notify: "Orders" orders
-- notify: missing no_table
-- notify: twice orders
-- notify: twice text
-- notify: "a-b" orders
-- notify: a_b orders
-- notify: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa orders

-- notify: lower_case order_changed
SELECT id FROM orders;

-- notify: no_select Changed
DELETE FROM orders;

-- notify: parameters Changed
SELECT id FROM orders WHERE id = @id;

-- notify: broken Broken
SELECT id, missing FROM orders;

-- notify: in_union InUnion
SELECT id FROM orders UNION SELECT 1;

-- notify: same_names SameNames
SELECT id, id FROM orders;

-- name: GetOrder :many
SELECT id FROM orders;
-- notify: at_the_end nowhere
