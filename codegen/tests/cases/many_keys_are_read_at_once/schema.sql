CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE team (id int PRIMARY KEY, name text NOT NULL UNIQUE, mood mood);
CREATE TABLE member (
    id uuid PRIMARY KEY, team_id int NOT NULL REFERENCES team (id), name text NOT NULL, born date
);
CREATE TABLE job (id int PRIMARY KEY, batch_key int NOT NULL, "row" text, key int NOT NULL);
