CREATE TABLE item (
    id int PRIMARY KEY, shop int NOT NULL, name text NOT NULL, price numeric(9, 2) NOT NULL,
    made timestamptz NOT NULL, grade int, code bytea
);
CREATE INDEX item_by_price ON item (price DESC, id DESC);
