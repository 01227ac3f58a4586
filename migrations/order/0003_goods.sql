-- Orders of goods, and what is only on the way to becoming one.
SET LOCAL lock_timeout = '5s';

CREATE TYPE goods_status AS ENUM ('pending', 'confirmed', 'shipped', 'delivered', 'cancelled');
-- What the product service holds for an order: set aside until we confirm it, sold to the order,
-- to be given back, given back.
CREATE TYPE goods_stock AS ENUM ('reserved', 'sold', 'returning', 'returned');

-- Written before anything is asked of the product service, so that whoever finds it can go on.
-- It becomes an order under the same id, which is also the idempotency key of its reservation.
CREATE TABLE goods_draft (
    id uuid PRIMARY KEY, -- UUIDv7, made by the application
    user_id uuid NOT NULL, -- a user of the user service; no key across databases
    pending_validation boolean NOT NULL, -- nobody could say whether the user exists and is active
    abandoned boolean NOT NULL DEFAULT false, -- only what may be reserved for it is to be given back
    created_by text NOT NULL CHECK (length(created_by) BETWEEN 1 AND 200), -- the subject of a token
    request_key text CHECK (length(request_key) BETWEEN 1 AND 255),
    due_at timestamptz NOT NULL, -- when somebody else may go on with it
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX goods_draft_created_by_request_key ON goods_draft (created_by, request_key);
CREATE INDEX goods_draft_due_at ON goods_draft (due_at, id);

CREATE TABLE goods_draft_line (
    draft_id uuid NOT NULL REFERENCES goods_draft (id) ON DELETE CASCADE,
    position smallint NOT NULL CHECK (position BETWEEN 0 AND 99),
    product_id uuid NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (draft_id, position)
);

CREATE TABLE goods_order (
    id uuid PRIMARY KEY,
    user_id uuid NOT NULL,
    status goods_status NOT NULL DEFAULT 'pending',
    pending_validation boolean NOT NULL,
    total numeric(14, 2) NOT NULL CHECK (total >= 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'), -- ISO 4217
    cancel_reason text CHECK (length(cancel_reason) BETWEEN 1 AND 200),
    stock goods_stock NOT NULL DEFAULT 'reserved',
    reservation_id uuid NOT NULL, -- of the product service
    due_at timestamptz, -- when somebody else may go on with what is left to do
    created_by text NOT NULL CHECK (length(created_by) BETWEEN 1 AND 200),
    updated_by text NOT NULL CHECK (length(updated_by) BETWEEN 1 AND 200),
    request_key text CHECK (length(request_key) BETWEEN 1 AND 255),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT goods_order_cancelled_gives_back
    CHECK ((status = 'cancelled') = (stock IN ('returning', 'returned'))),
    CONSTRAINT goods_order_cancelled_has_reason CHECK ((status = 'cancelled') = (cancel_reason IS NOT NULL)),
    CONSTRAINT goods_order_only_pending_awaits_validation CHECK (status = 'pending' OR NOT pending_validation),
    CONSTRAINT goods_order_only_sold_goes_on CHECK (status IN ('pending', 'cancelled') OR stock = 'sold'),
    CONSTRAINT goods_order_due_while_unfinished
    CHECK ((due_at IS NOT NULL) = (pending_validation OR stock IN ('reserved', 'returning')))
);

-- A request that is sent again finds what it ordered the first time.
CREATE UNIQUE INDEX goods_order_created_by_request_key ON goods_order (created_by, request_key);
CREATE INDEX goods_order_due_at ON goods_order (due_at, id) WHERE due_at IS NOT NULL;
-- The orders of the list, everybody's and one user's, each with its tie-break.
CREATE INDEX goods_order_created_at_id ON goods_order (created_at, id);
CREATE INDEX goods_order_total_id ON goods_order (total, id);
CREATE INDEX goods_order_user_id_created_at_id ON goods_order (user_id, created_at, id);

CREATE TABLE goods_order_line (
    order_id uuid NOT NULL REFERENCES goods_order (id) ON DELETE CASCADE,
    position smallint NOT NULL CHECK (position BETWEEN 0 AND 99),
    product_id uuid NOT NULL, -- a product of the product service; no key across databases
    quantity integer NOT NULL CHECK (quantity > 0),
    unit_price numeric(12, 2) NOT NULL CHECK (unit_price >= 0), -- when it was reserved
    PRIMARY KEY (order_id, position)
);

CREATE UNIQUE INDEX goods_order_line_product_id ON goods_order_line (product_id, order_id);
