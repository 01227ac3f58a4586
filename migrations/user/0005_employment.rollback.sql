DROP INDEX audit_entry_at;
ALTER TABLE staff
    DROP CONSTRAINT staff_id_fkey,
    ADD COLUMN name text, ADD COLUMN email text,
    ADD COLUMN version integer NOT NULL DEFAULT 1,
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now();
UPDATE staff SET
    name = account.name, email = account.email, version = account.version,
    created_at = account.created_at, updated_at = account.updated_at
FROM account WHERE account.id = staff.id;
ALTER TABLE staff
    ALTER COLUMN name SET NOT NULL, ALTER COLUMN email SET NOT NULL,
    ADD CONSTRAINT staff_name_check CHECK (length(btrim(name)) BETWEEN 1 AND 255),
    ADD CONSTRAINT staff_email_check CHECK (length(email) <= 254 AND email ~ '^[^@[:space:]]+@[^@[:space:]]+$');
CREATE UNIQUE INDEX staff_email_key ON staff (lower(email));
CREATE INDEX staff_name_id ON staff (name, id);
DROP INDEX account_name_id;
ALTER TABLE account DROP COLUMN name;
