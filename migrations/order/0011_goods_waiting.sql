-- How many orders of a user wait to be confirmed, counted again when all that count them have done.
SET LOCAL lock_timeout = '5s';

-- Volatile: it counts what is committed when it has the lock, not when the statement around it began.
CREATE FUNCTION goods_waiting(of_user uuid, most integer) RETURNS bigint LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('goods_order ' || of_user::text, 0));
    RETURN (
        SELECT count(*) FROM (
            SELECT FROM goods_order AS o
            WHERE o.user_id = of_user AND o.status = 'pending' AND o.deleted_at IS NULL
            LIMIT most
        ) AS waiting
    );
END;
$$;
