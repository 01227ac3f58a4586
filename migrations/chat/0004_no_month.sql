-- A month that is missing costs no message: one without a month is kept apart and moves when its month is made.
SET LOCAL lock_timeout = '5s';

CREATE TABLE message_other PARTITION OF message DEFAULT;

CREATE OR REPLACE FUNCTION add_message_partitions(months_ahead integer) RETURNS integer
LANGUAGE plpgsql SET lock_timeout = '2s' SET timezone = 'UTC' AS $$
DECLARE
    month timestamptz;
    name text;
    first uuid;
    beyond uuid;
    added integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('message partitions'));
    FOR month IN
        SELECT date_trunc('month', now()) + make_interval(months => step)
        FROM generate_series(-1, months_ahead) AS step
    LOOP
        name := to_char(month, '"message_"YYYY_MM');
        CONTINUE WHEN to_regclass(name) IS NOT NULL;
        first := first_id_of(month);
        beyond := first_id_of(month + interval '1 month');
        -- Attaching locks it anyway, and fails where it has what belongs to the month.
        LOCK TABLE message_other;
        EXECUTE format('CREATE TABLE %I (LIKE message INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
        EXECUTE format('INSERT INTO %I SELECT * FROM message_other WHERE id >= $1 AND id < $2', name) USING first, beyond;
        DELETE FROM message_other WHERE id >= first AND id < beyond;
        EXECUTE format('ALTER TABLE message ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, first, beyond);
        added := added + 1;
    END LOOP;
    RETURN added;
END $$;

CREATE OR REPLACE FUNCTION drop_message_partitions(older_than timestamptz) RETURNS integer
LANGUAGE plpgsql SET lock_timeout = '2s' SET timezone = 'UTC' AS $$
DECLARE
    name text;
    dropped integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('message partitions'));
    DELETE FROM message_other WHERE id < first_id_of(older_than);
    FOR name IN
        SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'message'::regclass
        AND CASE relname WHEN 'message_other' THEN false
            ELSE to_date(relname, '"message_"YYYY_MM') + interval '1 month' <= older_than END
        ORDER BY relname
    LOOP
        EXECUTE format('DROP TABLE %I', name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;

DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION add_message_partitions(integer) SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION drop_message_partitions(timestamptz) SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
END $$;
