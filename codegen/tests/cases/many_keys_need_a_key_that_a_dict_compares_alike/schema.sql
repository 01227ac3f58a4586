CREATE TABLE product (
    id int PRIMARY KEY, shop_id int NOT NULL, name text NOT NULL, price numeric NOT NULL,
    rate float8 NOT NULL, code char(4) NOT NULL, tags text[] NOT NULL
);
CREATE FUNCTION noted(id int) RETURNS int LANGUAGE sql VOLATILE AS $$
    INSERT INTO product (id) VALUES (noted.id) RETURNING 1 $$;
