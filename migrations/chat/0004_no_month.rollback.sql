-- Messages have a month again, and those that have none are not lost: make their months first.
SET LOCAL lock_timeout = '5s';

DO $$ BEGIN
    IF EXISTS (SELECT FROM message_other) THEN
        RAISE EXCEPTION 'message_other has messages: add_message_partitions moves those of present months, the others are yours to move';
    END IF;
END $$;
DROP TABLE message_other;

CREATE OR REPLACE FUNCTION add_message_partitions(months_ahead integer) RETURNS integer
LANGUAGE plpgsql SET lock_timeout = '2s' SET timezone = 'UTC' AS $$
DECLARE
    month timestamptz;
    name text;
    added integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('message partitions'));
    FOR month IN
        SELECT date_trunc('month', now()) + make_interval(months => step)
        FROM generate_series(-1, months_ahead) AS step
    LOOP
        name := to_char(month, '"message_"YYYY_MM');
        CONTINUE WHEN to_regclass(name) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I (LIKE message INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
        EXECUTE format(
            'ALTER TABLE message ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            name, first_id_of(month), first_id_of(month + interval '1 month')
        );
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
    FOR name IN
        SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'message'::regclass
        AND to_date(relname, '"message_"YYYY_MM') + interval '1 month' <= older_than
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
