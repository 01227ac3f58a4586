CREATE TABLE author (id bigint PRIMARY KEY, name text NOT NULL, joined_at timestamptz NOT NULL);
CREATE TABLE book (
    id bigint PRIMARY KEY,
    author_id bigint NOT NULL REFERENCES author,
    title text NOT NULL,
    price double precision NOT NULL
);
CREATE TABLE award (
    id bigint PRIMARY KEY,
    author_id bigint NOT NULL REFERENCES author,
    year integer NOT NULL
);
CREATE INDEX ON book (author_id);
CREATE INDEX ON award (author_id);
