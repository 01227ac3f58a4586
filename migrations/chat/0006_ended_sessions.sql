-- Sessions that have ended: access tokens issued in them open no socket any more.
SET LOCAL lock_timeout = '5s';

CREATE TABLE ended_session (
    id uuid PRIMARY KEY,
    ended_at timestamptz NOT NULL
);
