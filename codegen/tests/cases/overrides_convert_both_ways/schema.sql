CREATE TABLE post (id int PRIMARY KEY, tag text NOT NULL, tags text[] NOT NULL, price numeric NOT NULL);
