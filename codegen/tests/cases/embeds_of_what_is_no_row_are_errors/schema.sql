CREATE TABLE author (id integer PRIMARY KEY, name text NOT NULL, note text);
CREATE TABLE writer (id integer PRIMARY KEY, name text NOT NULL, note text);
