-- How much of what is for sale a user may keep from others with orders that nobody has confirmed.
SET LOCAL lock_timeout = '5s';

-- Per line, what the user's other drafts and unconfirmed orders held of its product when the draft was written.
ALTER TABLE goods_draft ADD COLUMN held integer[] NOT NULL DEFAULT '{}';

CREATE INDEX goods_order_waiting ON goods_order (user_id) WHERE status = 'pending' AND deleted_at IS NULL;
CREATE INDEX goods_draft_user_id ON goods_draft (user_id);

-- Volatile, as `goods_waiting`: it sees what was committed before the lock was had.
CREATE FUNCTION goods_held(of_user uuid, of_products uuid[]) RETURNS integer[] LANGUAGE plpgsql AS $$
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

-- What a user's unconfirmed orders come to in one currency.
CREATE FUNCTION goods_waiting_value(of_user uuid, of_currency text) RETURNS numeric LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('goods_order ' || of_user::text, 0));
    RETURN (
        SELECT coalesce(sum(o.total), 0) FROM goods_order AS o
        WHERE o.user_id = of_user AND o.status = 'pending' AND o.deleted_at IS NULL AND o.currency = of_currency
    );
END;
$$;
