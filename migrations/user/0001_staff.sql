-- The people of the HR list.
-- depends:

SET LOCAL lock_timeout = '5s';

CREATE TABLE staff (
    id uuid PRIMARY KEY, -- UUIDv7, made by the application
    name text NOT NULL CHECK (length(btrim(name)) BETWEEN 1 AND 255),
    email text NOT NULL CHECK (length(email) <= 254 AND email ~ '^[^@[:space:]]+@[^@[:space:]]+$'),
    department_id uuid, -- a department of the department service; no key across databases
    age integer NOT NULL CHECK (age BETWEEN 0 AND 150),
    salary numeric(12, 2) NOT NULL CHECK (salary >= 0),
    version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX staff_email_key ON staff (lower(email));
CREATE INDEX staff_department_id ON staff (department_id);
-- The default order of the list and its tie-break.
CREATE INDEX staff_name_id ON staff (name, id);
