-- A change of the address is undone by whoever reads the mails of the former one, which nobody else takes meanwhile.
SET LOCAL lock_timeout = '5s';

ALTER TYPE token_kind ADD VALUE 'undo_email';

CREATE TABLE former_address (
    account_id uuid NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    changed_at timestamptz NOT NULL DEFAULT now(),
    email text NOT NULL CHECK (length(email) <= 254),
    PRIMARY KEY (account_id, changed_at)
);

CREATE INDEX former_address_email ON former_address (lower(email));
CREATE INDEX former_address_changed_at ON former_address (changed_at);
