CREATE TABLE link (
    slug text PRIMARY KEY CHECK (slug ~ '^[a-z0-9-]{1,40}$'),
    target text NOT NULL,
    visits bigint NOT NULL DEFAULT 0
);
