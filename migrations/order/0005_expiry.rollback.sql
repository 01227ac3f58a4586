-- A type cannot lose a value: it is made anew, with what refers to it.
SET LOCAL lock_timeout = '5s';

DROP INDEX service_order_unfilled_time_end;
DROP INDEX service_order_open_place;
DROP INDEX service_order_status_created_at;
DROP INDEX service_order_status_time_start;
ALTER TYPE service_order_status RENAME TO service_order_status_with_expired;
CREATE TYPE service_order_status AS ENUM ('PENDING', 'PAUSED', 'ASSIGNED', 'COMPLETED', 'CANCELLED');
ALTER TABLE service_order
    ALTER COLUMN status DROP DEFAULT,
    ALTER COLUMN status TYPE service_order_status
        USING (CASE status WHEN 'EXPIRED' THEN 'CANCELLED' ELSE status::text END)::service_order_status,
    ALTER COLUMN status SET DEFAULT 'PENDING';
DROP TYPE service_order_status_with_expired;
CREATE INDEX service_order_status_created_at ON service_order (status, created_at, id);
CREATE INDEX service_order_status_time_start ON service_order (status, time_start, id);
CREATE INDEX service_order_open_place ON service_order
    USING gist (point(longitude, latitude)) WHERE status = 'PENDING';
