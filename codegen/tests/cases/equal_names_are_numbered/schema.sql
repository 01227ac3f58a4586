CREATE TABLE users (id integer PRIMARY KEY, name text NOT NULL, note varchar(20), friend integer);
