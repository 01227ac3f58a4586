-- Customers who want to work here, and what was said to them. Whose number it is stays where those of providers are.
SET LOCAL lock_timeout = '5s';

CREATE TYPE request_status AS ENUM ('pending', 'approved', 'declined');

CREATE TABLE provider_request (
    account_id uuid PRIMARY KEY REFERENCES account (id) ON DELETE CASCADE,
    status request_status NOT NULL DEFAULT 'pending',
    reason text CHECK (length(reason) BETWEEN 1 AND 500),
    decided_by text CHECK (length(decided_by) BETWEEN 1 AND 200), -- the subject of a token
    decided_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((status = 'pending') = (decided_at IS NULL)),
    CHECK ((decided_by IS NULL) = (decided_at IS NULL))
);

CREATE INDEX provider_request_pending ON provider_request (created_at, account_id) WHERE status = 'pending';
