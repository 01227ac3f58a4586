CREATE TABLE person (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    email text NOT NULL,
    age integer NOT NULL,
    score double precision NOT NULL,
    active boolean NOT NULL,
    joined_at timestamptz NOT NULL,
    note text
);
