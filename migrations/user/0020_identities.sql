-- Accounts at identity providers (OpenID Connect) that sign in to an account here, and sign-ins that have begun there.
SET LOCAL lock_timeout = '5s';

-- Known by who says so and how it calls its user: an address may pass to somebody else, a subject does not.
CREATE TABLE identity (
    id uuid PRIMARY KEY, -- UUIDv7, made by the application
    account_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    issuer text NOT NULL CHECK (length(issuer) BETWEEN 1 AND 500),
    subject text NOT NULL CHECK (length(subject) BETWEEN 1 AND 255),
    proved boolean NOT NULL, -- its user has also shown to read the mails of the account
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz,
    UNIQUE (issuer, subject)
);

CREATE INDEX identity_account_id ON identity (account_id);

-- A browser that is at a provider: it comes back once, soon, and with the cookie that it left with.
CREATE TABLE identity_request (
    state bytea PRIMARY KEY CHECK (length(state) = 32), -- SHA-256, as is `browser`; neither is kept itself
    browser bytea NOT NULL CHECK (length(browser) = 32),
    provider text NOT NULL,
    nonce text NOT NULL,
    verifier text NOT NULL,
    return_to text NOT NULL,
    session_id uuid REFERENCES session (id) ON DELETE CASCADE, -- that links; NULL for a sign-in
    expires_at timestamptz NOT NULL DEFAULT now() + interval '10 minutes'
);

CREATE INDEX identity_request_expires_at ON identity_request (expires_at);
CREATE INDEX identity_request_session_id ON identity_request (session_id) WHERE session_id IS NOT NULL;

-- What opened the session, where it was a provider: it ends with the link to it.
ALTER TABLE session ADD COLUMN identity_id uuid REFERENCES identity (id) ON DELETE SET NULL;

CREATE INDEX session_identity_id ON session (identity_id) WHERE identity_id IS NOT NULL;
