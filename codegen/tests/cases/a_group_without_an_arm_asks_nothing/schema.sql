CREATE TABLE task (
    id integer PRIMARY KEY,
    title text NOT NULL,
    status text NOT NULL,
    rank integer NOT NULL,
    owner integer
);
