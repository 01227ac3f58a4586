CREATE TABLE item (
    id int PRIMARY KEY, shop int NOT NULL, name varchar(40) NOT NULL, price decimal(9, 2) NOT NULL,
    made datetime(6) NOT NULL, grade int, code varbinary(20), KEY item_by_price (price DESC, id DESC)
);
