SET LOCAL lock_timeout = '5s';

CREATE TABLE goods_draft_line (
    draft_id uuid NOT NULL REFERENCES goods_draft (id) ON DELETE CASCADE,
    position smallint NOT NULL CHECK (position BETWEEN 0 AND 99),
    product_id uuid NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (draft_id, position)
);

INSERT INTO goods_draft_line (draft_id, position, product_id, quantity)
SELECT d.id, l.number - 1, l.product_id, l.quantity
FROM goods_draft AS d, unnest(d.product_ids, d.quantities) WITH ORDINALITY AS l (product_id, quantity, number);

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
            SELECT l.product_id, l.quantity FROM goods_draft AS d JOIN goods_draft_line AS l ON l.draft_id = d.id
            WHERE d.user_id = of_user AND NOT d.abandoned
        ) AS held ON held.product_id = wanted.product_id
        GROUP BY wanted.number
        ORDER BY wanted.number
    );
END;
$$;

ALTER TABLE goods_draft
DROP CONSTRAINT goods_draft_has_lines,
DROP CONSTRAINT goods_draft_lines_are_whole,
DROP CONSTRAINT goods_draft_products_are_known,
DROP CONSTRAINT goods_draft_quantities_are_known,
DROP CONSTRAINT goods_draft_held_is_known,
DROP CONSTRAINT goods_draft_quantities_are_positive,
ALTER COLUMN held SET DEFAULT '{}',
DROP COLUMN product_ids,
DROP COLUMN quantities;
