CREATE TYPE mood AS ENUM ('happy', 'so so');

CREATE TABLE author (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    mood mood,
    preferences jsonb NOT NULL DEFAULT '{}'
);

CREATE TABLE book (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    author_id bigint NOT NULL REFERENCES author,
    title text NOT NULL,
    price numeric(8, 2),
    rating double precision,
    published timestamptz NOT NULL DEFAULT now(),
    cover bytea,
    "list" text[] NOT NULL DEFAULT '{}'
);
