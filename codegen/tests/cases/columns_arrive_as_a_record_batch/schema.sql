CREATE TYPE mood AS ENUM ('happy', 'sad');
CREATE DOMAIN cents AS bigint CHECK (VALUE >= 0);
CREATE TABLE sale (
    id bigint PRIMARY KEY,
    shop_id int NOT NULL,
    price numeric(12, 2) NOT NULL,
    paid cents,
    mood mood,
    code char(3),
    note text,
    sold_at timestamptz NOT NULL,
    tags text [],
    CHECK (array_position(tags, NULL) IS NULL),
    CHECK (price <> 'NaN'),
    CHECK (isfinite(sold_at))
);
