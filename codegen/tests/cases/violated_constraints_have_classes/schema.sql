CREATE TABLE customer (
    id integer PRIMARY KEY,
    email text NOT NULL CONSTRAINT customer_email_key UNIQUE,
    age integer NOT NULL CHECK (age >= 18)
);
CREATE TABLE purchase (
    id integer PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES customer
);
-- A check takes the name that its column's NOT NULL would have.
CREATE TABLE customer_email (
    "is" text NOT NULL,
    CONSTRAINT customer_email_is_not_null CHECK ("is" <> 'x')
);
