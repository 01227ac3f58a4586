CREATE TYPE size AS (width int, height int);

CREATE TABLE boxes (id int PRIMARY KEY, size size, extent size NOT NULL, label jsonb NOT NULL);

CREATE TABLE things (
    id int PRIMARY KEY,
    box_id int NOT NULL REFERENCES boxes (id),
    name text NOT NULL,
    weight int
);
