CREATE TABLE sale (
    id bigint PRIMARY KEY,
    shop int NOT NULL,
    price numeric(12, 2) NOT NULL,
    customer text NOT NULL,
    sold_at timestamptz NOT NULL,
    ratio double precision,
    paid boolean NOT NULL,
    note text
);
