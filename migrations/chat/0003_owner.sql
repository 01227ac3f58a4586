-- Who runs the service may write rows, not tables: the partitions are made and dropped by their owner.
SET LOCAL lock_timeout = '5s';

DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION add_message_partitions(integer) SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION drop_message_partitions(timestamptz) SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE EXECUTE ON FUNCTION add_message_partitions(integer), drop_message_partitions(timestamptz) FROM PUBLIC;
