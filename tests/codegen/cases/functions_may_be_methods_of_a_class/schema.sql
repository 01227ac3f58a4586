CREATE TYPE kind AS ENUM ('a', 'b');
CREATE TABLE item (id integer PRIMARY KEY, name text NOT NULL, kind kind, tags text[]);
