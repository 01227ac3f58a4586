CREATE TABLE orders (id bigint PRIMARY KEY, state text NOT NULL, total numeric, note text, doc jsonb NOT NULL);
ALTER TABLE orders RENAME COLUMN state TO status;

-- All of these send what the channel `fine` declares.
CREATE FUNCTION fine() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    body json := json_build_object('id', NEW.id);
    unused text;
BEGIN
    SELECT status INTO unused FROM orders LIMIT 1;
    IF NEW.total > 5 OR unused IS NULL THEN
        RAISE NOTICE 'many';
        body := json_build_object('id', NEW.id, 'status', NEW.status, 'more', NEW.total);
    ELSE
        body := row_to_json(NEW);
    END IF;
    IF (TG_OP <> 'UPDATE') OR OLD.total IS NULL THEN
        PERFORM pg_notify('fine', body::text);
        PERFORM pg_notify('fine', to_jsonb(o)::text) FROM orders AS o WHERE o.id <> NEW.id;
    END IF;
    RETURN NEW;
EXCEPTION WHEN OTHERS THEN
    RAISE WARNING 'not sent';
    RETURN NEW;
END $$;
CREATE TRIGGER fine AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION fine();
CREATE FUNCTION also_fine(wanted bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('fine', json_build_object('id', id, 'status', status)::text) FROM orders WHERE id = wanted;
END $$;
CREATE FUNCTION in_sql() RETURNS void LANGUAGE sql
BEGIN ATOMIC SELECT pg_notify('fine', row_to_json(orders)::text) FROM orders; END;

-- The column has been renamed since.
CREATE FUNCTION renamed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('renamed', json_build_object('id', NEW.id, 'state', NEW.state)::text);
    RETURN NULL;
END $$;
CREATE TRIGGER renamed AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION renamed();
CREATE FUNCTION renamed_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('renamed_key', json_build_object('id', NEW.id, 'state', NEW.status)::text);
    RETURN NULL;
END $$;
CREATE TRIGGER renamed_key AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION renamed_key();

-- NEW is NULL in DELETE.
CREATE FUNCTION on_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('on_delete', row_to_json(NEW)::text);
    RETURN NULL;
END $$;
CREATE TRIGGER on_delete AFTER UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION on_delete();
CREATE FUNCTION members_on_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('members_on_delete', json_build_object('id', NEW.id)::text);
    RETURN NULL;
END $$;
CREATE TRIGGER members_on_delete AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION members_on_delete();

CREATE FUNCTION before() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('before', row_to_json(NEW)::text);
    RETURN NEW;
END $$;
CREATE TRIGGER before BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION before();

CREATE FUNCTION loops() RETURNS void LANGUAGE plpgsql AS $$
DECLARE one record;
BEGIN
    FOR one IN SELECT id FROM orders LOOP
        PERFORM pg_notify('loops', row_to_json(one)::text);
    END LOOP;
END $$;

CREATE FUNCTION other_types(wanted text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('parameter', json_build_object('id', wanted, 'status', 'x')::text);
    PERFORM pg_notify('plain', wanted);
    PERFORM pg_notify('anything', wanted);
    PERFORM pg_notify('unknown_member', json_build_object('id', 1, 'status', wanted::json)::text);
    PERFORM pg_notify('stored', json_build_object('doc', (SELECT doc FROM orders LIMIT 1))::text);
END $$;
