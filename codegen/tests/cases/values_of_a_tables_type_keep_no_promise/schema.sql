CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE part (id integer PRIMARY KEY, kind mood NOT NULL);
CREATE TYPE stone AS (kind mood);
CREATE TABLE stones (id integer PRIMARY KEY, cut stone);
CREATE TYPE gem AS ENUM ('opal', 'jade');
CREATE TABLE gems (id integer PRIMARY KEY, kind gem NOT NULL);
