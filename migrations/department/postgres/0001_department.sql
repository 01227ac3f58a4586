-- The departments that staff belong to.
-- depends:

SET LOCAL lock_timeout = '5s';

CREATE TABLE department (
    id uuid PRIMARY KEY, -- UUIDv7, made by the application
    name text NOT NULL CONSTRAINT department_name_check
        CHECK (name = btrim(name) AND length(name) BETWEEN 1 AND 255),
    address text CONSTRAINT department_address_check CHECK (length(address) BETWEEN 1 AND 255),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- One department per name whatever its case, and the default order of the list.
CREATE UNIQUE INDEX department_name_key ON department (lower(name));
CREATE INDEX department_created_at_id ON department (created_at, id);
