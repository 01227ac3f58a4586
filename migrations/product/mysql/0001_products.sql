-- Products, what they cost over time, and a ledger that explains how many there are.
-- depends:

CREATE TABLE product (
    id binary(16) PRIMARY KEY, -- UUIDv7, made by the application
    name varchar(255) NOT NULL,
    description varchar(4000) NOT NULL DEFAULT '',
    price decimal(12, 2) NOT NULL,
    currency char(3) NOT NULL, -- ISO 4217
    stock integer NOT NULL, -- not reserved
    status enum('active', 'inactive', 'deleted') NOT NULL DEFAULT 'active',
    version integer NOT NULL DEFAULT 1, -- of every change, also of the stock by a reservation
    created_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    updated_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    -- The orders of the list, each with its tie-break.
    KEY product_status_price_id (status, price, id),
    KEY product_status_created_at_id (status, created_at, id),
    CONSTRAINT product_name_check CHECK (name = trim(name) AND char_length(name) >= 1),
    CONSTRAINT product_price_check CHECK (price >= 0),
    CONSTRAINT product_currency_check CHECK (char_length(currency) = 3),
    CONSTRAINT product_stock_check CHECK (stock >= 0)
) DEFAULT CHARACTER SET utf8mb4
-- Case does not tell texts apart, accents do: each server has a name of its own for that.
COLLATE /*M! utf8mb4_uca1400_nopad_as_ci */ /*!80001 utf8mb4_0900_as_ci */
ENGINE InnoDB;

CREATE TABLE price_change (
    id binary(16) PRIMARY KEY,
    product_id binary(16) NOT NULL,
    price decimal(12, 2) NOT NULL, -- from this moment on
    currency char(3) NOT NULL,
    changed_by varchar(200) NOT NULL, -- the subject of a token
    created_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    KEY price_change_product_id (product_id, id),
    CONSTRAINT price_change_product FOREIGN KEY (product_id) REFERENCES product (id),
    CONSTRAINT price_change_price_check CHECK (price >= 0)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE reservation (
    id binary(16) PRIMARY KEY,
    owner varchar(200) NOT NULL, -- the subject of a token
    request_key varchar(255) NOT NULL,
    status enum('pending', 'confirmed', 'released', 'expired') NOT NULL DEFAULT 'pending',
    expires_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), -- while it is pending
    created_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    updated_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    -- A request that is sent again finds what it reserved the first time.
    UNIQUE KEY reservation_owner_request_key (owner, request_key),
    KEY reservation_status_expires_at (status, expires_at, id)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

CREATE TABLE reservation_line (
    reservation_id binary(16) NOT NULL,
    product_id binary(16) NOT NULL,
    quantity integer NOT NULL,
    unit_price decimal(12, 2) NOT NULL, -- when it was reserved
    currency char(3) NOT NULL,
    PRIMARY KEY (reservation_id, product_id),
    CONSTRAINT reservation_line_reservation FOREIGN KEY (reservation_id) REFERENCES reservation (id),
    CONSTRAINT reservation_line_product FOREIGN KEY (product_id) REFERENCES product (id),
    CONSTRAINT reservation_line_quantity_check CHECK (quantity > 0)
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Every change of a stock, by the version of the product that it made: the sum of a product's
-- deltas is its stock.
CREATE TABLE stock_movement (
    id binary(16) PRIMARY KEY,
    product_id binary(16) NOT NULL,
    product_version integer NOT NULL,
    delta integer NOT NULL,
    stock_after integer NOT NULL,
    reason enum('counted', 'reserved', 'released', 'returned', 'expired') NOT NULL,
    reservation_id binary(16),
    actor varchar(200) NOT NULL, -- the subject of a token, or `system`
    created_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    UNIQUE KEY stock_movement_product_version (product_id, product_version),
    CONSTRAINT stock_movement_product FOREIGN KEY (product_id) REFERENCES product (id),
    CONSTRAINT stock_movement_reservation FOREIGN KEY (reservation_id) REFERENCES reservation (id),
    CONSTRAINT stock_movement_delta_check CHECK (delta <> 0),
    CONSTRAINT stock_movement_stock_check CHECK (stock_after >= 0),
    CONSTRAINT stock_movement_reason_check CHECK ((reason = 'counted') = (reservation_id IS NULL))
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
