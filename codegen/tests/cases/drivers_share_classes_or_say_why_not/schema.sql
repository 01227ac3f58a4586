CREATE TYPE place AS (name text, spot point);
CREATE TABLE stay (id int PRIMARY KEY, days daterange NOT NULL);
CREATE TABLE house (id int PRIMARY KEY, at place NOT NULL, tags text[] NOT NULL);
