CREATE TABLE visit (id int PRIMARY KEY, marks jsonb NOT NULL, score int NOT NULL);
