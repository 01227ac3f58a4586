-- fragment: visible(o)
NOT o.gone AND o.owner = @viewer;

-- fragment: keys(o)
o.id, o.owner;

-- fragment: items(o)
JOIN item AS i ON i.order_id = o.id;

-- fragment: has_item(o, wanted)
EXISTS (SELECT 1 FROM item AS i WHERE i.order_id = o.id AND i.name = wanted);

-- fragment: wrong(o)
o.gone AND o.totl > 1;

-- fragment: outer_wrong(o)
sqlc.include(wrong, o);

-- fragment: mistyped(o)
o.total > 'many';

-- fragment: circle(o)
o.gone OR sqlc.include(round, o);

-- fragment: round(o)
sqlc.include(circle, o);

-- fragment: visible(x)
NOT x.gone;

-- fragment: stranger(o)
o.gone AND other.gone;

-- fragment: named(o)
JOIN item AS i ON i.order_id = o.id WHERE i.name = 'a';

-- fragment: sold(o)
orders AS o JOIN item AS i ON i.order_id = o.id WHERE i.name = 'a';

-- fragment: open_orders(o)
orders AS o WHERE NOT o.gone;

-- fragment: either(o)
orders AS o WHERE NOT o.gone OR o.owner = 1;

-- fragment: ordered(o)
o.gone ORDER BY o.id;

-- fragment: middle(o)
percentile_disc(0.5) WITHIN GROUP (ORDER BY o.total);

-- fragment: clause(o)
WHERE o.gone;

-- fragment: open_ended(o)
o.gone OR;

-- fragment: open_bracket(o)
(o.gone OR o.total > 1;

-- fragment: numbered(o)
o.total > $1;

-- fragment: 1bad(o)
o.gone;

-- fragment: twice(o, o)
o.gone;

-- fragment: typed(o)
-- param: viewer int
o.gone;

-- fragment: nothing()
;

-- fragment: unused(o)
o.gone;

-- fragment: unclosed(o)
o.gone

-- fragment: behind(o)
o.gone;

-- fragment: sorted(o)
o.id -- :sort o.id, o.total desc
;
