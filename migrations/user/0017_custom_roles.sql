-- Roles that administrators create: permissions under a name, for accounts of one kind.
SET LOCAL lock_timeout = '5s';

CREATE TABLE custom_role (
    name text PRIMARY KEY CHECK (name ~ '^[A-Z][A-Z0-9_]{1,49}$'),
    kind account_role NOT NULL REFERENCES role (name) CHECK (kind NOT IN ('ADMIN', 'SERVICE')),
    description text NOT NULL CHECK (length(description) BETWEEN 1 AND 500),
    version integer NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by text NOT NULL, -- the subject of a token
    UNIQUE (name, kind)
);

CREATE TABLE custom_role_permission (
    role text NOT NULL REFERENCES custom_role (name) ON DELETE CASCADE,
    permission text NOT NULL REFERENCES permission (name) ON DELETE CASCADE,
    PRIMARY KEY (role, permission)
);

-- An account of a custom role is of its kind, and the role stays while somebody has it.
ALTER TABLE account
ADD COLUMN custom_role text,
ADD CONSTRAINT account_custom_role_fkey FOREIGN KEY (custom_role, role) REFERENCES custom_role (name, kind);

CREATE INDEX account_custom_role ON account (custom_role) WHERE custom_role IS NOT NULL;
