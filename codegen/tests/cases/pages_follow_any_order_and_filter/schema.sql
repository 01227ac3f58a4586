CREATE TABLE ticket (
    id int PRIMARY KEY,
    tenant int NOT NULL,
    title text NOT NULL,
    owner int,
    state text NOT NULL,
    priority int,
    closed boolean NOT NULL
);
CREATE TABLE label (ticket_id int NOT NULL REFERENCES ticket, name text NOT NULL);
