-- Channels between a customer and a provider, and their messages in partitions of a month each.
-- depends: 0001_events

SET LOCAL lock_timeout = '5s';

CREATE TYPE channel_kind AS ENUM ('order', 'job');

CREATE TABLE channel (
    id uuid PRIMARY KEY, -- UUIDv7, made by the application
    kind channel_kind NOT NULL,
    subject_id uuid NOT NULL, -- the service order or the job, in the order service
    customer_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    -- Who stores a message holds the lock on this row: sequences have no gaps and no two alike.
    last_sequence bigint NOT NULL DEFAULT 0,
    last_message_id uuid,
    last_message_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (customer_id <> provider_id)
);

CREATE UNIQUE INDEX channel_subject ON channel (kind, subject_id, provider_id);

CREATE TABLE member (
    channel_id uuid NOT NULL REFERENCES channel (id),
    user_id uuid NOT NULL,
    read_sequence bigint NOT NULL DEFAULT 0, -- everything up to here has been read
    PRIMARY KEY (user_id, channel_id)
);

CREATE INDEX member_channel_id ON member (channel_id);

-- Ids begin with the time, so a range of ids is a range of time.
CREATE TABLE message (
    id uuid PRIMARY KEY,
    channel_id uuid NOT NULL REFERENCES channel (id),
    sequence bigint NOT NULL CHECK (sequence > 0),
    author_id uuid NOT NULL,
    client_id text NOT NULL,
    text text NOT NULL CHECK (length(text) BETWEEN 1 AND 4000),
    created_at timestamptz NOT NULL DEFAULT now()
) PARTITION BY RANGE (id);

CREATE INDEX message_channel_sequence ON message (channel_id, sequence);

-- What an author has sent, by the author's own id for it: sent again, it is known.
CREATE TABLE sent (
    channel_id uuid NOT NULL,
    author_id uuid NOT NULL,
    client_id text NOT NULL CHECK (length(client_id) BETWEEN 1 AND 64),
    message_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (channel_id, author_id, client_id)
);

CREATE INDEX sent_by_age ON sent (created_at);

-- The least UUIDv7 of a moment.
CREATE FUNCTION first_id_of(moment timestamptz) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT
RETURN (lpad(to_hex(floor(extract(epoch FROM moment) * 1000)::bigint), 12, '0')
    || '70008000000000000000')::uuid;

-- Add the partitions of this month, the one before and as many to come; say how many were missing.
-- Attached rather than created in place: that does not stop those who write meanwhile.
CREATE FUNCTION add_message_partitions(months_ahead integer) RETURNS integer
LANGUAGE plpgsql SET lock_timeout = '2s' SET timezone = 'UTC' AS $$
DECLARE
    month timestamptz;
    name text;
    added integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('message partitions'));
    FOR month IN
        SELECT date_trunc('month', now()) + make_interval(months => step)
        FROM generate_series(-1, months_ahead) AS step
    LOOP
        name := to_char(month, '"message_"YYYY_MM');
        CONTINUE WHEN to_regclass(name) IS NOT NULL;
        EXECUTE format('CREATE TABLE %I (LIKE message INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
        EXECUTE format(
            'ALTER TABLE message ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
            name, first_id_of(month), first_id_of(month + interval '1 month')
        );
        added := added + 1;
    END LOOP;
    RETURN added;
END $$;

-- Drop the partitions whose newest message may be older than that; say how many.
CREATE FUNCTION drop_message_partitions(older_than timestamptz) RETURNS integer
LANGUAGE plpgsql SET lock_timeout = '2s' SET timezone = 'UTC' AS $$
DECLARE
    name text;
    dropped integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('message partitions'));
    FOR name IN
        SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'message'::regclass
        AND to_date(relname, '"message_"YYYY_MM') + interval '1 month' <= older_than
        ORDER BY relname
    LOOP
        EXECUTE format('DROP TABLE %I', name);
        dropped := dropped + 1;
    END LOOP;
    RETURN dropped;
END $$;

DO $$ BEGIN PERFORM add_message_partitions(3); END $$;
