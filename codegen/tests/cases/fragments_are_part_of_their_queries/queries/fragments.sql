-- The rules of the shop, each written once.

-- Orders that a viewer may see: those that exist, and belong to the viewer.
-- fragment: visible(o)
o.deleted_at IS NULL -- deleted orders stay in the table
AND (o.owner_id = @viewer OR o.total IS NULL);

-- fragment: buyer(o, c)
LEFT JOIN customer AS c ON c.id = o.customer_id AND o.total > 1;

-- fragment: priced(o)
o.total IS NOT NULL AND sqlc.include(visible, o);

-- fragment: filters(o)
o.id > 0
AND o.total >= @least -- :if least
AND o.customer_id = @customer; -- :if customer
