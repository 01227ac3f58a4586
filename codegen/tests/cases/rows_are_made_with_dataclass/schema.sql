CREATE TYPE mood AS ENUM ('happy', 'not so happy', '');

CREATE TABLE people (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    mood mood,
    tags text[] NOT NULL DEFAULT '{}',
    salary numeric(12, 2),
    joined timestamptz NOT NULL DEFAULT now()
);
