CREATE TABLE author (
    id integer PRIMARY KEY,
    name text NOT NULL CHECK (name = btrim(name) AND length(name) BETWEEN 2 AND 30),
    bio text,
    born integer CHECK (born BETWEEN 1900 AND 2100),
    prefs jsonb CHECK (prefs IS NOT NULL)
);
CREATE TABLE book (
    id integer PRIMARY KEY,
    author_id integer NOT NULL REFERENCES author (id),
    title text NOT NULL,
    price numeric CHECK (price > 0),
    status text NOT NULL CHECK (status IN ('draft', 'published')),
    CHECK (status = 'draft' OR price IS NOT NULL)
);
