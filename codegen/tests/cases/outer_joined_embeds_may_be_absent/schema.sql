CREATE TABLE author (id integer PRIMARY KEY, name text NOT NULL, bio text);
CREATE TABLE book (
    id integer PRIMARY KEY,
    author_id integer REFERENCES author,
    title text NOT NULL
);
CREATE TABLE remark (author_id integer, text text);
