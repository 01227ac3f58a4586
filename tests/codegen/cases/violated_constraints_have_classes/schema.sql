CREATE TABLE customer (
    id integer PRIMARY KEY,
    email text NOT NULL CONSTRAINT customer_email_key UNIQUE,
    age integer NOT NULL CHECK (age >= 18)
);
CREATE TABLE purchase (
    id integer PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customer
);
