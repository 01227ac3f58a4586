CREATE TABLE region (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE nation (id int PRIMARY KEY, region_id int NOT NULL REFERENCES region, name text NOT NULL);
CREATE TABLE supplier (
    id int PRIMARY KEY, nation_id int NOT NULL REFERENCES nation, name text NOT NULL, balance numeric(12, 2) NOT NULL
);
CREATE INDEX supplier_nation ON supplier (nation_id);
CREATE TABLE customer (
    id int PRIMARY KEY, nation_id int NOT NULL REFERENCES nation, email text NOT NULL, segment text NOT NULL,
    city text NOT NULL, zip text NOT NULL, phone text, balance numeric(12, 2) NOT NULL, deleted_at timestamptz
);
CREATE INDEX customer_email ON customer (lower(email));
CREATE INDEX customer_nation ON customer (nation_id);
CREATE INDEX customer_zip ON customer (zip);
CREATE INDEX customer_phone ON customer (phone) WHERE phone IS NOT NULL;
CREATE TABLE part (
    id int PRIMARY KEY, brand text NOT NULL, kind text NOT NULL, size int NOT NULL, tags text[] NOT NULL, price numeric(12, 2) NOT NULL
);
CREATE INDEX part_brand_size ON part (brand, size);
CREATE INDEX part_tags ON part USING gin (tags);
CREATE TABLE stock (
    part_id int NOT NULL REFERENCES part, supplier_id int NOT NULL REFERENCES supplier, available int NOT NULL,
    cost numeric(12, 2) NOT NULL, PRIMARY KEY (part_id, supplier_id)
);
CREATE INDEX stock_supplier ON stock (supplier_id);
CREATE TABLE orders (
    id bigint PRIMARY KEY, customer_id int NOT NULL REFERENCES customer ON DELETE CASCADE, status text NOT NULL,
    total numeric(12, 2) NOT NULL, ordered_at timestamptz NOT NULL, priority int NOT NULL, clerk text NOT NULL
);
CREATE INDEX orders_customer ON orders (customer_id, ordered_at DESC);
CREATE INDEX orders_ordered_at ON orders (ordered_at);
CREATE INDEX orders_open ON orders (ordered_at) WHERE status = 'open';
CREATE INDEX orders_clerk ON orders (clerk);
CREATE TABLE line (
    order_id bigint NOT NULL REFERENCES orders ON DELETE CASCADE, number int NOT NULL, part_id int NOT NULL,
    supplier_id int NOT NULL, quantity int NOT NULL, price numeric(12, 2) NOT NULL, discount numeric(4, 2) NOT NULL,
    shipped_on date NOT NULL, flag char(1) NOT NULL, PRIMARY KEY (order_id, number),
    FOREIGN KEY (part_id, supplier_id) REFERENCES stock
);
CREATE INDEX line_part ON line (part_id, supplier_id);
CREATE INDEX line_shipped ON line (shipped_on);
CREATE TABLE event (id bigint NOT NULL, customer_id int NOT NULL, at timestamptz NOT NULL, kind text NOT NULL)
    PARTITION BY RANGE (at);
CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2024-01-01') TO ('2024-05-01');
CREATE TABLE event_2 PARTITION OF event FOR VALUES FROM ('2024-05-01') TO ('2024-09-01');
CREATE TABLE event_3 PARTITION OF event FOR VALUES FROM ('2024-09-01') TO ('2025-01-01');
CREATE INDEX event_customer ON event (customer_id, at);
CREATE INDEX event_at ON event USING brin (at);
