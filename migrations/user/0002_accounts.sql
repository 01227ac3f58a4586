-- Accounts: who may sign in, what they may do, their sessions, and what was done.
SET LOCAL lock_timeout = '5s';

CREATE TYPE account_role AS ENUM ('CUSTOMER', 'PROVIDER', 'MODERATOR', 'ADMIN', 'STAFF', 'SERVICE');
CREATE TYPE account_status AS ENUM ('active', 'inactive', 'deleted');
CREATE TYPE token_kind AS ENUM ('verify_email', 'reset_password');

-- What each role may do: `permission` is `resource:action`, and travels in the access token.
CREATE TABLE role (
    name account_role PRIMARY KEY,
    description text NOT NULL CHECK (length(description) <= 500),
    version integer NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by text NOT NULL DEFAULT 'system'
);

CREATE TABLE permission (
    name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9_-]*(:[a-z][a-z0-9_-]*)+$' AND length(name) <= 100),
    description text NOT NULL CHECK (length(description) <= 500)
);

CREATE TABLE role_permission (
    role account_role NOT NULL REFERENCES role (name) ON DELETE CASCADE,
    permission text NOT NULL REFERENCES permission (name) ON DELETE CASCADE,
    PRIMARY KEY (role, permission)
);

INSERT INTO role (name, description) VALUES
    ('CUSTOMER', 'Orders services and goods.'),
    ('PROVIDER', 'Offers services.'),
    ('MODERATOR', 'Looks after accounts other than administrators''.'),
    ('ADMIN', 'Manages everything.'),
    ('STAFF', 'Works here.'),
    ('SERVICE', 'Another service, not a person.');

INSERT INTO permission (name, description) VALUES
    ('users:read', 'List people, with salaries and statistics.'),
    ('users:write', 'Create, change and deactivate people.'),
    ('users:moderate', 'See, change and delete other people''s accounts.'),
    ('roles:read', 'See roles and their permissions.'),
    ('roles:write', 'Change what roles may do and who has them.'),
    ('audit:read', 'Read the audit trail.'),
    ('departments:write', 'Create, change and delete departments.');

INSERT INTO role_permission (role, permission) SELECT 'ADMIN', name FROM permission;
INSERT INTO role_permission (role, permission) VALUES
    ('STAFF', 'users:read'),
    ('STAFF', 'departments:write'),
    ('MODERATOR', 'users:moderate');

CREATE TABLE account (
    id uuid PRIMARY KEY, -- UUIDv7, made by the application
    email text NOT NULL CHECK (length(email) <= 254 AND email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
    first_name text NOT NULL CHECK (length(btrim(first_name)) BETWEEN 1 AND 255),
    last_name text NOT NULL CHECK (length(last_name) <= 255), -- '' for people with one name
    phone_number text CHECK (phone_number ~ '^[+]?[0-9]{7,15}$'),
    password_hash text, -- a PHC string; an account without one cannot log in
    role account_role NOT NULL REFERENCES role (name),
    status account_status NOT NULL DEFAULT 'active',
    verified boolean NOT NULL DEFAULT false,
    picture_key text,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL DEFAULT 'system', -- the subject of a token
    updated_by text NOT NULL DEFAULT 'system',
    deleted_at timestamptz,
    CHECK ((status = 'deleted') = (deleted_at IS NOT NULL))
);

-- The address of a deleted account may be registered again.
CREATE UNIQUE INDEX account_email_key ON account (lower(email)) WHERE status <> 'deleted';
CREATE INDEX account_role_id ON account (role, id);
-- The default order of a list of accounts and its tie-break.
CREATE INDEX account_created_at_id ON account (created_at, id);

CREATE TABLE provider (
    account_id uuid PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    personal_id bytea NOT NULL, -- AES-256-GCM: nonce, ciphertext and tag
    key_id text NOT NULL,
    preview text NOT NULL CHECK (preview ~ '^[0-9]{5}$'), -- the last five digits
    created_at timestamptz NOT NULL DEFAULT now()
);

-- What a logout ends: one sign-in and all refresh tokens that descend from it.
CREATE TABLE session (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    refreshed_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL, -- of the youngest refresh token
    revoked_at timestamptz,
    revoked_because text,
    CHECK ((revoked_at IS NULL) = (revoked_because IS NULL))
);

CREATE INDEX session_account_id ON session (account_id) WHERE revoked_at IS NULL;
CREATE INDEX session_expires_at ON session (expires_at);

CREATE TABLE refresh_token (
    hash bytea PRIMARY KEY CHECK (length(hash) = 32), -- SHA-256; the token itself is not kept
    session_id uuid NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);

-- A session has one refresh token that still works.
CREATE UNIQUE INDEX refresh_token_live ON refresh_token (session_id) WHERE used_at IS NULL;
CREATE INDEX refresh_token_session_id ON refresh_token (session_id);

-- The tokens in links that were mailed.
CREATE TABLE account_token (
    hash bytea PRIMARY KEY CHECK (length(hash) = 32),
    kind token_kind NOT NULL,
    account_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    email text NOT NULL, -- good only while it is still the account's
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);

CREATE INDEX account_token_account_id ON account_token (account_id, kind);
CREATE INDEX account_token_expires_at ON account_token (expires_at);

-- Attempts at something that may be guessed, counted per key within a window of time.
CREATE TABLE attempt (
    key bytea PRIMARY KEY CHECK (length(key) = 32), -- a hash: addresses are not kept
    attempts integer NOT NULL CHECK (attempts > 0),
    window_ends_at timestamptz NOT NULL
);

CREATE INDEX attempt_window_ends_at ON attempt (window_ends_at);

-- Mails on their way out. A link's token is made when its mail is sent, so none is kept here.
CREATE TABLE mail_outbox (
    id uuid PRIMARY KEY,
    template text NOT NULL CHECK (template <> ''),
    account_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    recipient text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(), -- of the next attempt
    sent_at timestamptz,
    failed_at timestamptz, -- given up
    last_error text,
    CHECK (sent_at IS NULL OR failed_at IS NULL)
);

CREATE INDEX mail_outbox_due_at ON mail_outbox (due_at) WHERE sent_at IS NULL AND failed_at IS NULL;
CREATE INDEX mail_outbox_account_id ON mail_outbox (account_id, template, created_at);

-- Who did what. Rows are added and read, nothing else; see the triggers.
CREATE TABLE audit_entry (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL CHECK (length(actor) BETWEEN 1 AND 200), -- a token's subject, or `anonymous`
    action text NOT NULL CHECK (action ~ '^[a-z_]+([.][a-z_]+)+$' AND length(action) <= 100),
    resource_type text NOT NULL CHECK (length(resource_type) BETWEEN 1 AND 100),
    resource_id text NOT NULL CHECK (length(resource_id) BETWEEN 1 AND 100),
    request_id text NOT NULL DEFAULT '',
    address text NOT NULL DEFAULT '', -- of the client
    details jsonb NOT NULL DEFAULT '{}'
);

CREATE INDEX audit_entry_actor ON audit_entry (actor, id);
CREATE INDEX audit_entry_resource ON audit_entry (resource_type, resource_id, id);
CREATE INDEX audit_entry_action ON audit_entry (action, id);

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry
FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
