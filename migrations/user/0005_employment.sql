-- Everybody is an account; what is known about the employment of those who work here stays in staff.
SET LOCAL lock_timeout = '5s';

ALTER TABLE account ADD COLUMN name text NOT NULL GENERATED ALWAYS AS (btrim(first_name || ' ' || last_name)) STORED;
-- The default order of the list of people and its tie-break.
CREATE INDEX account_name_id ON account (name, id);

-- The last word of a name is taken for the last name.
INSERT INTO account (id, email, first_name, last_name, role, verified, version, created_at, updated_at, created_by)
SELECT
    id, email, regexp_replace(btrim(name), '[[:space:]]+[^[:space:]]+$', ''),
    coalesce(substring(btrim(name) FROM '[[:space:]]([^[:space:]]+)$'), ''),
    'STAFF', true, version, created_at, updated_at, 'migration'
FROM staff
ON CONFLICT (id) DO NOTHING; -- those of before, where this was undone and is done again

ALTER TABLE staff
    ADD CONSTRAINT staff_id_fkey FOREIGN KEY (id) REFERENCES account (id) ON DELETE CASCADE,
    DROP COLUMN name, DROP COLUMN email,
    -- A person changes as a whole: the version is the account's.
    DROP COLUMN version, DROP COLUMN created_at, DROP COLUMN updated_at;

-- The audit trail by time, newest first.
CREATE INDEX audit_entry_at ON audit_entry (at);
