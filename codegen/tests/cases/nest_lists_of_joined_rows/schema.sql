CREATE TABLE country (code text PRIMARY KEY, name text NOT NULL);
CREATE TABLE author (id integer PRIMARY KEY, name text NOT NULL, country text REFERENCES country);
CREATE TABLE book (
    id integer PRIMARY KEY,
    author_id integer NOT NULL REFERENCES author,
    title text NOT NULL
);
CREATE TABLE review (
    id bigint PRIMARY KEY,
    book_id integer NOT NULL REFERENCES book,
    reviews integer NOT NULL
);
CREATE TABLE award (author_id integer REFERENCES author, year integer, title text, PRIMARY KEY (author_id, year));
