CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE TABLE team (id int PRIMARY KEY, name text NOT NULL UNIQUE, mood mood);
CREATE TABLE member (
    id uuid PRIMARY KEY, team_id int NOT NULL REFERENCES team (id), name text NOT NULL, born date
);
