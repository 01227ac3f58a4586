CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL, note text);
CREATE TABLE price (id integer PRIMARY KEY, amount money NOT NULL);
