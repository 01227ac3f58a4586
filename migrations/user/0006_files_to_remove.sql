-- Stored files that nobody refers to any more, or may never have: removed in the background.
SET LOCAL lock_timeout = '5s';

CREATE TABLE file_to_remove (
    key text PRIMARY KEY CHECK (length(key) BETWEEN 1 AND 500),
    attempts integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL
);

CREATE INDEX file_to_remove_due_at ON file_to_remove (due_at);
