CREATE TABLE author (id integer PRIMARY KEY, name text NOT NULL, bio text);
CREATE TABLE book (
    id integer PRIMARY KEY,
    author_id integer NOT NULL REFERENCES author,
    genre text NOT NULL,
    price integer NOT NULL
);
