-- Who runs the service adds entries; the balances follow in their owner's name, and in no other.
SET LOCAL lock_timeout = '5s';

DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION point_entry_moves_balance() SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
END $$;
