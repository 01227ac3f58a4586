CREATE TABLE counter (id integer PRIMARY KEY, value integer NOT NULL);
