CREATE TABLE person (
    id bigint PRIMARY KEY,
    name varchar(100) NOT NULL,
    email varchar(100) NOT NULL,
    age integer NOT NULL,
    score double NOT NULL,
    active boolean NOT NULL,
    joined_at datetime(6) NOT NULL,
    note text
);
