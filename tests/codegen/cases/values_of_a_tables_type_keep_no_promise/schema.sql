CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE part (id integer PRIMARY KEY, kind mood NOT NULL);
