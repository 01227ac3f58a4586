CREATE TABLE author (id integer PRIMARY KEY, name text NOT NULL, note text);
CREATE TABLE writer (id integer PRIMARY KEY, name text NOT NULL, note text);
CREATE TYPE address AS (street text, zip integer);
CREATE TABLE house (id integer PRIMARY KEY, home address NOT NULL);
