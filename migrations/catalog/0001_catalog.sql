-- The catalogue: types of categories, categories, subcategories, services, and who offers which.
-- depends:

SET LOCAL lock_timeout = '5s';

CREATE TABLE category_type (
    id uuid PRIMARY KEY, -- UUIDv7, made by the application
    name text NOT NULL CHECK (name = btrim(name) AND length(name) BETWEEN 2 AND 30),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

-- One per name, whatever its case. What is below has the same rule inside its parent; that index
-- also answers whether anything refers to the parent.
CREATE UNIQUE INDEX category_type_name_key ON category_type (lower(name));

CREATE TABLE category (
    id uuid PRIMARY KEY,
    type_id uuid NOT NULL REFERENCES category_type (id),
    name text NOT NULL CHECK (name = btrim(name) AND length(name) BETWEEN 2 AND 30),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX category_name_key ON category (type_id, lower(name));

CREATE TABLE subcategory (
    id uuid PRIMARY KEY,
    category_id uuid NOT NULL REFERENCES category (id),
    name text NOT NULL CHECK (name = btrim(name) AND length(name) BETWEEN 2 AND 100),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX subcategory_name_key ON subcategory (category_id, lower(name));

CREATE TABLE service (
    id uuid PRIMARY KEY,
    subcategory_id uuid NOT NULL REFERENCES subcategory (id),
    name text NOT NULL CHECK (name = btrim(name) AND length(name) BETWEEN 2 AND 100),
    description text NOT NULL DEFAULT '' CHECK (length(description) <= 4000),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX service_name_key ON service (subcategory_id, lower(name));

-- The orders of the lists, each with its tie-break.
CREATE INDEX category_type_name_id ON category_type (name, id);
CREATE INDEX category_type_created_at_id ON category_type (created_at, id);
CREATE INDEX category_name_id ON category (name, id);
CREATE INDEX category_created_at_id ON category (created_at, id);
CREATE INDEX subcategory_name_id ON subcategory (name, id);
CREATE INDEX subcategory_created_at_id ON subcategory (created_at, id);
CREATE INDEX service_name_id ON service (name, id);
CREATE INDEX service_created_at_id ON service (created_at, id);

CREATE TABLE provider_service (
    provider_id uuid NOT NULL, -- an account of the user service
    service_id uuid NOT NULL REFERENCES service (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (provider_id, service_id)
);

CREATE INDEX provider_service_service_id ON provider_service (service_id, provider_id);
