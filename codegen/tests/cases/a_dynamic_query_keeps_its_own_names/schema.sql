CREATE TABLE item (id int PRIMARY KEY, db text NOT NULL);
