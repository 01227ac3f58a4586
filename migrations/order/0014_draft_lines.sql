-- A draft holds its lines itself: they are written, read and removed with it, and never alone.
SET LOCAL lock_timeout = '5s';

-- Line by line: the product, its quantity and, as before, what the user held of it.
ALTER TABLE goods_draft
ADD COLUMN product_ids uuid[] NOT NULL DEFAULT '{}',
ADD COLUMN quantities integer[] NOT NULL DEFAULT '{}';

UPDATE goods_draft AS d SET
    product_ids = ARRAY(SELECT l.product_id FROM goods_draft_line AS l WHERE l.draft_id = d.id ORDER BY l.position),
    quantities = ARRAY(SELECT l.quantity FROM goods_draft_line AS l WHERE l.draft_id = d.id ORDER BY l.position);
-- What a draft had noted nothing of was not limited.
UPDATE goods_draft SET held = array_fill(0, ARRAY[cardinality(product_ids)])
WHERE cardinality(held) <> cardinality(product_ids) OR array_position(held, NULL) IS NOT NULL;

ALTER TABLE goods_draft
ALTER COLUMN product_ids DROP DEFAULT,
ALTER COLUMN quantities DROP DEFAULT,
ALTER COLUMN held DROP DEFAULT,
ADD CONSTRAINT goods_draft_has_lines CHECK (cardinality(product_ids) BETWEEN 1 AND 100),
ADD CONSTRAINT goods_draft_lines_are_whole
CHECK (cardinality(quantities) = cardinality(product_ids) AND cardinality(held) = cardinality(product_ids)),
ADD CONSTRAINT goods_draft_products_are_known CHECK (array_position(product_ids, NULL) IS NULL),
ADD CONSTRAINT goods_draft_quantities_are_known CHECK (array_position(quantities, NULL) IS NULL),
ADD CONSTRAINT goods_draft_held_is_known CHECK (array_position(held, NULL) IS NULL),
ADD CONSTRAINT goods_draft_quantities_are_positive CHECK (0 < ALL (quantities));

CREATE OR REPLACE FUNCTION goods_held(of_user uuid, of_products uuid[]) RETURNS integer[] LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('goods_order ' || of_user::text, 0));
    RETURN ARRAY(
        SELECT coalesce(sum(held.quantity), 0)::integer
        FROM unnest(of_products) WITH ORDINALITY AS wanted (product_id, number)
        LEFT JOIN (
            SELECT l.product_id, l.quantity FROM goods_order AS o JOIN goods_order_line AS l ON l.order_id = o.id
            WHERE o.user_id = of_user AND o.status = 'pending' AND o.deleted_at IS NULL
            UNION ALL
            SELECT l.product_id, l.quantity
            FROM goods_draft AS d, unnest(d.product_ids, d.quantities) AS l (product_id, quantity)
            WHERE d.user_id = of_user AND NOT d.abandoned
        ) AS held ON held.product_id = wanted.product_id
        GROUP BY wanted.number
        ORDER BY wanted.number
    );
END;
$$;

DROP TABLE goods_draft_line;
