CREATE TABLE shop (
    id bigint PRIMARY KEY,
    name text NOT NULL
);

CREATE TABLE sale (
    id bigint PRIMARY KEY,
    shop_id bigint NOT NULL REFERENCES shop,
    amount numeric NOT NULL
);

INSERT INTO shop VALUES (1, 'corner'), (2, 'closed');
INSERT INTO sale VALUES (1, 1, 5), (2, 1, 7);
