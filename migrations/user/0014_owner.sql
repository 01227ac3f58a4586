-- Who runs the service adds to the audit trail and reads it. What is old is taken away by its owner, batch by batch.
SET LOCAL lock_timeout = '5s';

CREATE FUNCTION forget_audit(keep_days integer, most integer) RETURNS bigint LANGUAGE sql AS $$
    WITH gone AS (
        DELETE FROM audit_entry WHERE id IN (
            SELECT old.id FROM audit_entry AS old
            WHERE old.at < now() - make_interval(days => keep_days)
            ORDER BY old.at
            LIMIT most
        )
        RETURNING id
    )
    SELECT count(*) FROM gone
$$;

-- From where something was done.
CREATE FUNCTION forget_addresses(keep_days integer, most integer) RETURNS bigint LANGUAGE sql AS $$
    WITH changed AS (
        UPDATE audit_entry SET address = '' WHERE id IN (
            SELECT old.id FROM audit_entry AS old
            WHERE old.at < now() - make_interval(days => keep_days) AND old.address <> ''
            ORDER BY old.at
            LIMIT most
        )
        RETURNING id
    )
    SELECT count(*) FROM changed
$$;

DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION forget_audit SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION forget_addresses SECURITY DEFINER SET search_path = %I, pg_temp', current_schema());
END $$;
REVOKE EXECUTE ON FUNCTION forget_audit, forget_addresses FROM PUBLIC;
