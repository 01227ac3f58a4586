CREATE TABLE task (
    id integer PRIMARY KEY,
    title text NOT NULL,
    status text NOT NULL DEFAULT 'open',
    note text,
    deleted boolean NOT NULL DEFAULT false,
    changed integer NOT NULL DEFAULT 0
);
