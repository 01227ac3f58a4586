CREATE TABLE orders (id int PRIMARY KEY, owner int NOT NULL, total int, gone boolean NOT NULL);
CREATE TABLE item (order_id int NOT NULL REFERENCES orders, name text NOT NULL);
