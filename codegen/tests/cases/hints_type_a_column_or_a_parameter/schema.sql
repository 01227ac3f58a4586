CREATE TABLE visit (id int PRIMARY KEY, mood text NOT NULL, score int NOT NULL);
