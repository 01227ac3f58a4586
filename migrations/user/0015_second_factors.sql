-- What somebody shows besides the password: codes of an authenticator, passkeys, codes on paper.
SET LOCAL lock_timeout = '5s';

CREATE TABLE authenticator (
    account_id uuid PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    secret bytea NOT NULL, -- AES-256-GCM: nonce, ciphertext and tag
    key_id text NOT NULL,
    confirmed boolean NOT NULL DEFAULT false, -- a code has shown that the owner has it
    last_step bigint NOT NULL DEFAULT 0, -- of the code that was taken last: none is taken twice
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE recovery_code (
    hash bytea PRIMARY KEY CHECK (length(hash) = 32), -- SHA-256; the code itself is not kept
    account_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX recovery_code_account_id ON recovery_code (account_id);

CREATE TABLE passkey (
    id bytea PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 1023), -- the authenticator's name for it
    account_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL CHECK (sign_count >= 0),
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    created_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz
);

CREATE INDEX passkey_account_id ON passkey (account_id);

-- What a passkey has to sign: once, soon, and in the session that asked.
CREATE TABLE passkey_challenge (
    session_id uuid NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    purpose text NOT NULL CHECK (purpose IN ('add', 'show')),
    challenge bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (session_id, purpose)
);

ALTER TABLE session ADD COLUMN second_factor_at timestamptz; -- when one was shown in it
