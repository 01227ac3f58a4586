CREATE TYPE mood AS ENUM ('happy', 'not so happy', '');

CREATE TABLE people (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    mood mood,
    tags text[] NOT NULL DEFAULT '{}',
    salary numeric(12, 2),
    joined timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE size (id integer PRIMARY KEY, "Width" integer NOT NULL, width integer NOT NULL);
