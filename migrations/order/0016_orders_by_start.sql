-- Read a page of all service orders by their start from an index.
-- transactional: false

SET lock_timeout = '60s'; -- reads and writes go on while these statements wait

-- Drop the invalid index of an attempt that failed.
DROP INDEX CONCURRENTLY IF EXISTS service_order_time_start;
CREATE INDEX CONCURRENTLY service_order_time_start ON service_order (time_start, id);
