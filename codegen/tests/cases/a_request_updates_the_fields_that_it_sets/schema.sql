CREATE TABLE author (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    bio text,
    changes integer NOT NULL DEFAULT 0
);
