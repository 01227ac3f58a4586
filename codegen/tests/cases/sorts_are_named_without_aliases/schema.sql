CREATE TABLE task (id int PRIMARY KEY, title text NOT NULL, due date);
