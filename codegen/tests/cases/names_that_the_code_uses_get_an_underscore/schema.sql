CREATE TABLE executor (id integer PRIMARY KEY, name text NOT NULL);

CREATE TYPE decimal AS ENUM ('point', 'comma');

CREATE TABLE mark (id integer PRIMARY KEY, kind public.decimal NOT NULL);

INSERT INTO executor VALUES (1, 'Ann');
INSERT INTO mark VALUES (1, 'comma');
