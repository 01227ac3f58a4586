-- The marketplace of services: who needs what where, offers, the jobs that follow, and what both sides say of them.

SET LOCAL lock_timeout = '5s';

CREATE TYPE capital_kind AS ENUM ('PRIMARY', 'ADMIN', 'MINOR');
CREATE TYPE service_order_status AS ENUM ('PENDING', 'PAUSED', 'ASSIGNED', 'COMPLETED', 'CANCELLED');
CREATE TYPE offer_status AS ENUM ('PENDING', 'ACCEPTED', 'REJECTED', 'CANCELLED');
CREATE TYPE job_status AS ENUM ('PENDING', 'IN_PROGRESS', 'PAUSED', 'COMPLETED', 'CANCELLED');
CREATE TYPE review_side AS ENUM ('CUSTOMER', 'PROVIDER');

-- Kilometres between two places on a sphere of the earth's mean radius.
CREATE FUNCTION great_circle_km(
    from_longitude double precision, from_latitude double precision,
    to_longitude double precision, to_latitude double precision
) RETURNS double precision
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN 2 * 6371.0088 * asin(least(1, sqrt(
    sin(radians(to_latitude - from_latitude) / 2) ^ 2
    + cos(radians(from_latitude)) * cos(radians(to_latitude))
    * sin(radians(to_longitude - from_longitude) / 2) ^ 2
)));

CREATE TABLE currency (
    id uuid PRIMARY KEY, -- UUIDv7, made by the application
    currency text NOT NULL CHECK (currency = btrim(currency) AND length(currency) BETWEEN 1 AND 100),
    code text NOT NULL CONSTRAINT currency_code_key UNIQUE CHECK (code ~ '^[A-Z]{3}$'), -- ISO 4217
    symbol text NOT NULL CHECK (symbol = btrim(symbol) AND length(symbol) BETWEEN 1 AND 10),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    UNIQUE (id, code) -- what an offer refers to: no code changes under a price
);

CREATE INDEX currency_created_at_id ON currency (created_at, id);

CREATE TABLE city (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name = btrim(name) AND length(name) BETWEEN 1 AND 120),
    longitude double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    latitude double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    country text NOT NULL CHECK (country = btrim(country) AND length(country) BETWEEN 1 AND 120),
    iso2 text NOT NULL CHECK (iso2 ~ '^[A-Z]{2}$'), -- ISO 3166-1
    admin_name text CHECK (admin_name = btrim(admin_name) AND length(admin_name) BETWEEN 1 AND 120),
    capital capital_kind,
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- One per name inside a region of a country, whatever its case.
CREATE UNIQUE INDEX city_name_key ON city (iso2, lower(coalesce(admin_name, '')), lower(name));
CREATE INDEX city_name_id ON city (name, id);
CREATE INDEX city_created_at_id ON city (created_at, id);

CREATE TABLE provider_location (
    provider_id uuid PRIMARY KEY, -- an account of the user service
    city_id uuid NOT NULL REFERENCES city (id),
    longitude double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    latitude double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    address text NOT NULL CHECK (address = btrim(address) AND length(address) BETWEEN 1 AND 255),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX provider_location_city_id ON provider_location (city_id, provider_id);
CREATE INDEX provider_location_place ON provider_location USING gist (point(longitude, latitude));

CREATE TABLE service_order (
    id uuid PRIMARY KEY,
    customer_id uuid NOT NULL, -- an account of the user service
    service_id uuid NOT NULL, -- a service of the catalogue
    longitude double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    latitude double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    time_start timestamptz NOT NULL,
    time_end timestamptz NOT NULL,
    description text NOT NULL CHECK (length(description) BETWEEN 1 AND 2000),
    status service_order_status NOT NULL DEFAULT 'PENDING',
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT service_order_window_check CHECK (time_end > time_start)
);

-- The orders of the lists, each with its tie-break: of a customer, of what is open, and of all.
CREATE INDEX service_order_customer_created_at ON service_order (customer_id, created_at, id);
CREATE INDEX service_order_created_at ON service_order (created_at, id);
CREATE INDEX service_order_status_created_at ON service_order (status, created_at, id);
CREATE INDEX service_order_status_time_start ON service_order (status, time_start, id);
CREATE INDEX service_order_open_place ON service_order
    USING gist (point(longitude, latitude)) WHERE status = 'PENDING';

CREATE TABLE offer (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES service_order (id),
    provider_id uuid NOT NULL,
    price numeric(12, 2) NOT NULL CONSTRAINT offer_price_check CHECK (price > 0),
    currency_id uuid NOT NULL,
    currency text NOT NULL,
    book_time timestamptz NOT NULL, -- when the provider would come
    status offer_status NOT NULL DEFAULT 'PENDING',
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT offer_currency_fkey FOREIGN KEY (currency_id, currency) REFERENCES currency (id, code)
);

-- One active offer per provider and order, one accepted offer per order.
CREATE UNIQUE INDEX offer_active_key ON offer (order_id, provider_id)
    WHERE status IN ('PENDING', 'ACCEPTED');
CREATE UNIQUE INDEX offer_accepted_key ON offer (order_id) WHERE status = 'ACCEPTED';
CREATE INDEX offer_order_created_at ON offer (order_id, created_at, id);
CREATE INDEX offer_provider_created_at ON offer (provider_id, created_at, id);
CREATE INDEX offer_currency ON offer (currency_id, currency);

CREATE TABLE job (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES service_order (id),
    offer_id uuid NOT NULL CONSTRAINT job_offer_key UNIQUE REFERENCES offer (id),
    customer_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    service_id uuid NOT NULL,
    -- As it was accepted.
    price numeric(12, 2) NOT NULL CHECK (price > 0),
    currency text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    book_time timestamptz NOT NULL,
    status job_status NOT NULL DEFAULT 'PENDING',
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT job_sides_check CHECK (customer_id <> provider_id)
);

CREATE UNIQUE INDEX job_order_key ON job (order_id) WHERE status <> 'CANCELLED';
CREATE INDEX job_order_id ON job (order_id);
CREATE INDEX job_customer_created_at ON job (customer_id, created_at, id);
CREATE INDEX job_provider_created_at ON job (provider_id, created_at, id);

CREATE TABLE review (
    id uuid PRIMARY KEY,
    job_id uuid NOT NULL REFERENCES job (id),
    side review_side NOT NULL, -- who has written it, about the other one
    customer_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    rating numeric(3, 2) NOT NULL CONSTRAINT review_rating_check
        CHECK (rating BETWEEN 0 AND 5 AND rating * 2 = trunc(rating * 2)), -- half stars
    comment text NOT NULL DEFAULT '' CHECK (length(comment) <= 2000),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT review_side_key UNIQUE (job_id, side)
);

CREATE INDEX review_customer_created_at ON review (customer_id, side, created_at, id);
CREATE INDEX review_provider_created_at ON review (provider_id, side, created_at, id);
