-- No part of a personal id is kept in clear: what is shown of it is decrypted.
SET LOCAL lock_timeout = '5s';

-- The column goes when no instance writes it any more; until then what they write is not kept.
ALTER TABLE provider ALTER COLUMN preview DROP NOT NULL;
UPDATE provider SET preview = NULL;

CREATE FUNCTION provider_keep_no_preview() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.preview := NULL;
    RETURN NEW;
END
$$;
CREATE TRIGGER provider_keep_no_preview BEFORE INSERT OR UPDATE ON provider
FOR EACH ROW WHEN (NEW.preview IS NOT NULL) EXECUTE FUNCTION provider_keep_no_preview();
