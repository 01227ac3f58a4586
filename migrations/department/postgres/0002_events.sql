-- Events: what leaves a database (outbox) and what has arrived in it (inbox).
-- A service that takes part carries these files, byte for byte, among its own migrations.
SET LOCAL lock_timeout = '5s';

CREATE TABLE outbox (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL,
    lane smallint NOT NULL CHECK (lane BETWEEN 0 AND 7),
    topic text NOT NULL CHECK (topic <> ''),
    event_key text NOT NULL,
    kind text NOT NULL CHECK (kind <> ''),
    payload text NOT NULL,
    request_id text NOT NULL,
    traceparent text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX outbox_in_order ON outbox (lane, position);

-- Who holds the lock on a lane's row publishes its events: one at a time, hence in order.
-- No foreign key refers to it: writers of events would wait for that lock.
CREATE TABLE outbox_lane (
    id smallint PRIMARY KEY,
    served_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO outbox_lane (id) SELECT generate_series(0, 7);

CREATE TABLE inbox (
    consumer text NOT NULL,
    event_id uuid NOT NULL,
    handled_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);

CREATE INDEX inbox_by_age ON inbox (handled_at);
