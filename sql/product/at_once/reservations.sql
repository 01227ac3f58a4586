-- What is said of reservations most often, each in one statement: PostgreSQL writes to several tables at once. What
-- cannot be done so changes nothing; the queries beside these say why, on either engine.

-- name: Reserve :many
-- Set aside every line or none, and tell of it; what was taken, in the order of the products' ids. Of each product so
-- many must be there as are `needed`. Rows are locked in
-- that order, so that two who want the same ones do not deadlock; who comes too late waits for no lock.
-- row: LineView
WITH wanted AS (
    SELECT w.product_id, w.quantity, w.needed, w.movement_id
    FROM unnest(@product_ids::uuid[], @quantities::integer[], @needed::integer[], @movement_ids::uuid[])
    AS w (product_id, quantity, needed, movement_id)
), enough AS (
    SELECT count(*) AS lines FROM product AS p JOIN wanted AS w ON w.product_id = p.id
    WHERE p.status = 'active' AND p.stock >= w.quantity AND p.stock >= w.needed
), locked AS (
    SELECT p.id, p.status, p.stock, p.version FROM product AS p
    WHERE p.id = ANY (@product_ids::uuid[]) AND (SELECT lines FROM enough) = cardinality(@product_ids::uuid[])
    ORDER BY p.id
    FOR UPDATE
), taken AS (
    SELECT l.id, l.stock - w.quantity AS stock, l.version + 1 AS version, w.quantity, w.movement_id
    FROM locked AS l JOIN wanted AS w ON w.product_id = l.id
    WHERE l.status = 'active' AND l.stock >= w.quantity AND l.stock >= w.needed
), made AS (
    INSERT INTO reservation (id, owner, request_key, expires_at, created_at, updated_at)
    SELECT @id, @owner, @request_key, @expires_at, @now, @now
    WHERE (SELECT count(*) FROM taken) = cardinality(@product_ids::uuid[])
    RETURNING *
), moved AS (
    UPDATE product SET stock = taken.stock, version = taken.version, updated_at = now()
    FROM taken, made WHERE product.id = taken.id
    RETURNING product.*, taken.quantity, taken.movement_id, made.id AS reservation_id, made.owner
), lines AS (
    INSERT INTO reservation_line (reservation_id, product_id, quantity, unit_price, currency)
    SELECT moved.reservation_id, moved.id, moved.quantity, moved.price, moved.currency FROM moved
    RETURNING *
), ledger AS (
    INSERT INTO stock_movement (id, product_id, product_version, delta, stock_after, reason, reservation_id, actor)
    SELECT
        moved.movement_id, moved.id, moved.version, -moved.quantity, moved.stock, 'reserved', moved.reservation_id,
        moved.owner
    FROM moved
), told AS (
    INSERT INTO outbox (id, lane, topic, event_key, kind, payload, request_id, traceparent)
    SELECT
        @event_id, @lane, @topic, made.id::text, @kind,
        json_build_object(
            'id', made.id, 'owner', made.owner, 'key', made.request_key,
            'lines', (
                SELECT json_agg(json_build_object(
                    'reservation_id', l.reservation_id, 'product_id', l.product_id, 'quantity', l.quantity,
                    'unit_price', l.unit_price::text, 'currency', l.currency
                ) ORDER BY l.product_id)
                FROM lines AS l
            ),
            'products', (
                SELECT json_agg(json_build_object(
                    'id', m.id, 'name', m.name, 'description', m.description, 'price', m.price::text,
                    'currency', m.currency, 'stock', m.stock, 'status', m.status, 'version', m.version,
                    'created_at', m.created_at, 'updated_at', m.updated_at
                ) ORDER BY m.id)
                FROM moved AS m
            )
        )::text,
        @request_id, @traceparent
    FROM made
)
SELECT product_id, quantity, unit_price, currency FROM lines ORDER BY product_id;

-- name: Confirm :many
-- Sell what is set aside, and tell of it; what is sold, with the columns of its lines. No row of one that is not there,
-- not the owner's or not pending any more.
-- row: SettledRow
WITH settled AS (
    UPDATE reservation SET status = 'confirmed', updated_at = @now
    WHERE id = ANY (@ids::uuid[]) AND (owner = @owner OR @trusted::boolean) AND status = 'pending' AND expires_at > @now
    RETURNING *
), held AS (
    SELECT l.* FROM reservation_line AS l JOIN settled ON settled.id = l.reservation_id
), told AS (
    INSERT INTO outbox (id, lane, topic, event_key, kind, payload, request_id, traceparent)
    SELECT
        e.id, e.lane, @topic, settled.id::text, @kind,
        json_build_object(
            'id', settled.id, 'owner', settled.owner, 'key', settled.request_key,
            'lines', (
                SELECT json_agg(json_build_object(
                    'reservation_id', h.reservation_id, 'product_id', h.product_id, 'quantity', h.quantity,
                    'unit_price', h.unit_price::text, 'currency', h.currency
                ) ORDER BY h.product_id)
                FROM held AS h WHERE h.reservation_id = settled.id
            ),
            'products', json_build_array()
        )::text,
        @request_id, @traceparent
    FROM settled
    JOIN unnest(@ids::uuid[], @event_ids::uuid[], @lanes::smallint[]) AS e (reservation_id, id, lane)
        ON e.reservation_id = settled.id
)
SELECT
    settled.id, settled.owner, settled.request_key, settled.expires_at, settled.created_at,
    array_agg(held.product_id ORDER BY held.product_id) AS product_ids,
    array_agg(held.quantity ORDER BY held.product_id) AS quantities,
    array_agg(held.unit_price ORDER BY held.product_id) AS unit_prices,
    array_agg(held.currency ORDER BY held.product_id) AS currencies
FROM settled JOIN held ON held.reservation_id = settled.id
GROUP BY settled.id, settled.owner, settled.request_key, settled.expires_at, settled.created_at
ORDER BY settled.id;

-- name: GiveBack :many
-- Return to the stock what is set aside or sold, write down why, and tell of it; what is given back, with the columns of
-- its lines. `status` is what becomes of it: released, or expired where it is still pending. No row where it is not
-- there, not the owner's, or was given back before. Products are locked in the order of their ids, as by the others.
-- row: SettledRow
WITH found AS (
    SELECT * FROM reservation AS r
    WHERE r.id = @id AND (r.owner = @owner OR @trusted::boolean)
        AND (r.status = 'pending' OR r.status = 'confirmed' AND @status::reservation_status = 'released')
    FOR UPDATE
), held AS (
    SELECT l.*, row_number() OVER (ORDER BY l.product_id) AS place
    FROM reservation_line AS l JOIN found ON found.id = l.reservation_id
), locked AS (
    SELECT p.id, p.stock, p.version FROM product AS p
    WHERE p.id IN (SELECT held.product_id FROM held)
    ORDER BY p.id
    FOR UPDATE
), returned AS (
    SELECT locked.id, locked.stock + held.quantity AS stock, locked.version + 1 AS version, held.quantity, m.id AS movement_id
    FROM locked
    JOIN held ON held.product_id = locked.id
    JOIN unnest(@movement_ids::uuid[]) WITH ORDINALITY AS m (id, place) ON m.place = held.place
), settled AS (
    UPDATE reservation SET status = @status, updated_at = @now
    FROM found WHERE reservation.id = found.id
    RETURNING
        reservation.id, reservation.owner, reservation.request_key, reservation.expires_at, reservation.created_at,
        found.status AS was
), moved AS (
    UPDATE product SET stock = returned.stock, version = returned.version, updated_at = now()
    FROM returned, settled WHERE product.id = returned.id
    RETURNING product.*, returned.quantity, returned.movement_id, settled.id AS reservation_id, settled.was
), ledger AS (
    INSERT INTO stock_movement (id, product_id, product_version, delta, stock_after, reason, reservation_id, actor)
    SELECT
        moved.movement_id, moved.id, moved.version, moved.quantity, moved.stock,
        CASE
            WHEN @status::reservation_status = 'expired' THEN 'expired'
            WHEN moved.was = 'confirmed' THEN 'returned'
            ELSE 'released'
        END::stock_movement_reason,
        moved.reservation_id, @actor
    FROM moved
), told AS (
    INSERT INTO outbox (id, lane, topic, event_key, kind, payload, request_id, traceparent)
    SELECT
        @event_id, @lane, @topic, settled.id::text, @kind,
        json_build_object(
            'id', settled.id, 'owner', settled.owner, 'key', settled.request_key,
            'lines', (
                SELECT json_agg(json_build_object(
                    'reservation_id', h.reservation_id, 'product_id', h.product_id, 'quantity', h.quantity,
                    'unit_price', h.unit_price::text, 'currency', h.currency
                ) ORDER BY h.product_id)
                FROM held AS h
            ),
            'products', (
                SELECT json_agg(json_build_object(
                    'id', m.id, 'name', m.name, 'description', m.description, 'price', m.price::text,
                    'currency', m.currency, 'stock', m.stock, 'status', m.status, 'version', m.version,
                    'created_at', m.created_at, 'updated_at', m.updated_at
                ) ORDER BY m.id)
                FROM moved AS m
            )
        )::text,
        @request_id, @traceparent
    FROM settled
)
SELECT
    settled.id, settled.owner, settled.request_key, settled.expires_at, settled.created_at,
    array_agg(held.product_id ORDER BY held.product_id) AS product_ids,
    array_agg(held.quantity ORDER BY held.product_id) AS quantities,
    array_agg(held.unit_price ORDER BY held.product_id) AS unit_prices,
    array_agg(held.currency ORDER BY held.product_id) AS currencies
FROM settled JOIN held ON held.reservation_id = settled.id
GROUP BY settled.id, settled.owner, settled.request_key, settled.expires_at, settled.created_at;
