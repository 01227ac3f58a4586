CREATE TYPE address AS (street text, zip integer);
CREATE TABLE person (id integer PRIMARY KEY, name text NOT NULL, bio text);
CREATE TABLE house (id integer PRIMARY KEY, home address NOT NULL, work address, owner integer);
