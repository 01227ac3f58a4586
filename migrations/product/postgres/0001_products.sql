-- Products, what they cost over time, and a ledger that explains how many there are.
-- depends:

SET LOCAL lock_timeout = '5s';

CREATE TYPE product_status AS ENUM ('active', 'inactive', 'deleted');
CREATE TYPE reservation_status AS ENUM ('pending', 'confirmed', 'released', 'expired');
CREATE TYPE stock_movement_reason AS ENUM ('counted', 'reserved', 'released', 'returned', 'expired');

CREATE TABLE product (
    id uuid PRIMARY KEY, -- UUIDv7, made by the application
    name text NOT NULL CHECK (name = btrim(name) AND length(name) BETWEEN 1 AND 255),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 4000),
    price numeric(12, 2) NOT NULL CONSTRAINT product_price_check CHECK (price >= 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'), -- ISO 4217
    stock integer NOT NULL CONSTRAINT product_stock_check CHECK (stock >= 0), -- not reserved
    status product_status NOT NULL DEFAULT 'active',
    version integer NOT NULL DEFAULT 1, -- of every change, also of the stock by a reservation
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- The orders of the list, each with its tie-break.
CREATE INDEX product_status_name_id ON product (status, name, id);
CREATE INDEX product_status_price_id ON product (status, price, id);
CREATE INDEX product_status_created_at_id ON product (status, created_at, id);

CREATE TABLE price_change (
    id uuid PRIMARY KEY,
    product_id uuid NOT NULL REFERENCES product (id),
    price numeric(12, 2) NOT NULL CHECK (price >= 0), -- from this moment on
    currency text NOT NULL,
    changed_by text NOT NULL, -- the subject of a token
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX price_change_product_id ON price_change (product_id, id);

CREATE TABLE reservation (
    id uuid PRIMARY KEY,
    owner text NOT NULL CHECK (length(owner) BETWEEN 1 AND 200), -- the subject of a token
    request_key text NOT NULL CHECK (length(request_key) BETWEEN 1 AND 255),
    status reservation_status NOT NULL DEFAULT 'pending',
    expires_at timestamptz NOT NULL, -- while it is pending
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- A request that is sent again finds what it reserved the first time.
CREATE UNIQUE INDEX reservation_owner_request_key ON reservation (owner, request_key);
CREATE INDEX reservation_expires_at ON reservation (expires_at, id) WHERE status = 'pending';

CREATE TABLE reservation_line (
    reservation_id uuid NOT NULL REFERENCES reservation (id),
    product_id uuid NOT NULL REFERENCES product (id),
    quantity integer NOT NULL CHECK (quantity > 0),
    unit_price numeric(12, 2) NOT NULL, -- when it was reserved
    currency text NOT NULL,
    PRIMARY KEY (reservation_id, product_id)
);

CREATE INDEX reservation_line_product_id ON reservation_line (product_id);

-- Every change of a stock, by the version of the product that it made: the sum of a product's
-- deltas is its stock.
CREATE TABLE stock_movement (
    id uuid PRIMARY KEY,
    product_id uuid NOT NULL REFERENCES product (id),
    product_version integer NOT NULL,
    delta integer NOT NULL CHECK (delta <> 0),
    stock_after integer NOT NULL CHECK (stock_after >= 0),
    reason stock_movement_reason NOT NULL,
    reservation_id uuid REFERENCES reservation (id),
    actor text NOT NULL, -- the subject of a token, or `system`
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((reason = 'counted') = (reservation_id IS NULL))
);

CREATE UNIQUE INDEX stock_movement_product_version ON stock_movement (product_id, product_version);
CREATE INDEX stock_movement_reservation_id ON stock_movement (reservation_id);
