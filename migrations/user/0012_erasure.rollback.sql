-- What was erased stays erased; nothing more is.
SET LOCAL lock_timeout = '5s';

CREATE OR REPLACE FUNCTION refuse_change_unless_old() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.at < now() - interval '90 days' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
DROP INDEX audit_entry_address_at;
DROP INDEX account_deleted_at;
ALTER TABLE account DROP COLUMN erased_at;
