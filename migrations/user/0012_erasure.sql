-- What is left of deleted accounts and of addresses in the audit trail goes with time.
SET LOCAL lock_timeout = '5s';

ALTER TABLE account ADD COLUMN erased_at timestamptz;
CREATE INDEX account_deleted_at ON account (deleted_at) WHERE deleted_at IS NOT NULL AND erased_at IS NULL;
CREATE INDEX audit_entry_address_at ON audit_entry (at) WHERE address <> '';

-- Two things may happen to what is old: it goes, or the address in it does.
CREATE OR REPLACE FUNCTION refuse_change_unless_old() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.at < now() - interval '90 days' THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' AND OLD.at < now() - interval '30 days' AND NEW.address = '' THEN
        NEW.address := OLD.address;
        IF NEW IS NOT DISTINCT FROM OLD THEN
            NEW.address := '';
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
