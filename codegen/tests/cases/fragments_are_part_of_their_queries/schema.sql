CREATE TABLE customer (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE orders (
    id int PRIMARY KEY,
    customer_id int NOT NULL REFERENCES customer,
    owner_id int NOT NULL,
    total numeric,
    deleted_at timestamptz
);
