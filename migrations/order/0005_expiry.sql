-- Service orders whose time is over get a status of their own.
SET LOCAL lock_timeout = '5s';

ALTER TYPE service_order_status ADD VALUE 'EXPIRED';

-- What the sweep looks for, the longest overdue first.
CREATE INDEX service_order_unfilled_time_end ON service_order (time_end, id)
    WHERE status IN ('PENDING', 'PAUSED');
