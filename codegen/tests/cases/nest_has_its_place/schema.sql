CREATE TABLE author (id integer PRIMARY KEY, name text NOT NULL, mail text UNIQUE);
CREATE TABLE book (
    id integer PRIMARY KEY,
    author_id integer NOT NULL REFERENCES author,
    title text NOT NULL
);
CREATE TABLE review (id integer PRIMARY KEY, book_id integer, author_id integer);
CREATE TABLE tag (book_id integer REFERENCES book, word text NOT NULL);
CREATE TABLE price (amount numeric PRIMARY KEY, book_id integer NOT NULL);
