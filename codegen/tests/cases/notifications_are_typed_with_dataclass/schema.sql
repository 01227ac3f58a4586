CREATE TYPE order_status AS ENUM ('new', 'paid');
CREATE TABLE orders (
    id bigint PRIMARY KEY, status order_status NOT NULL, total numeric(12, 2) NOT NULL, note text,
    weight double precision, raw bytea, placed timestamptz NOT NULL, tags text[] NOT NULL DEFAULT '{}'
);
CREATE TABLE "Line" (
    id int PRIMARY KEY, order_id bigint NOT NULL REFERENCES orders, sku text NOT NULL
);

CREATE FUNCTION notify_order_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('order_row', row_to_json(NEW)::text);
    RETURN NEW;
END $$;
CREATE TRIGGER order_row AFTER INSERT OR UPDATE ON orders
    FOR EACH ROW EXECUTE FUNCTION notify_order_row();

CREATE FUNCTION notify_line() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    message jsonb;
BEGIN
    IF TG_OP = 'DELETE' THEN
        message := jsonb_build_object('op', TG_OP, 'id', OLD.id, 'order', OLD.order_id, 'sku', NULL::text);
    ELSIF TG_OP IN ('INSERT', 'UPDATE') AND NEW.sku <> 'quiet' THEN
        message := jsonb_build_object('op', TG_OP, 'id', NEW.id, 'order', NEW.order_id, 'sku', NEW.sku);
    ELSE
        RETURN NULL;
    END IF;
    PERFORM pg_notify('Line "changed"', message::text);
    RETURN NULL;
END $$;
CREATE TRIGGER line_changed AFTER INSERT OR UPDATE OR DELETE ON "Line"
    FOR EACH ROW EXECUTE FUNCTION notify_line();

CREATE FUNCTION announce(job bigint) RETURNS void LANGUAGE sql AS $$
    SELECT pg_notify('jobs', job::text)
$$;
