-- Answers to requests that carried an Idempotency-Key, to be given again.
SET LOCAL lock_timeout = '5s';

CREATE TABLE idempotency_key (
    principal text NOT NULL,
    route text NOT NULL,
    request_key text NOT NULL,
    fingerprint bytea NOT NULL,
    lease uuid NOT NULL,
    leased_until timestamptz NOT NULL,
    status integer,
    headers text,
    body bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (principal, route, request_key),
    CHECK ((status IS NULL) = (headers IS NULL) AND (status IS NULL) = (body IS NULL))
);

CREATE INDEX idempotency_key_by_end ON idempotency_key (expires_at);
