CREATE DOMAIN email AS text NOT NULL;
CREATE TABLE account (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    email email,
    name text NOT NULL,
    born date,
    slug text NOT NULL GENERATED ALWAYS AS (lower(name)) STORED,
    made timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE login (account_id integer NOT NULL, at timestamptz NOT NULL);
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.at := now();
    RETURN NEW;
END $$;
CREATE TRIGGER stamp BEFORE INSERT ON login FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE MATERIALIZED VIEW names AS SELECT name FROM account;
