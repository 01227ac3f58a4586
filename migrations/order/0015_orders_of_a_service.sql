-- List the orders of one service without reading the orders of all services.
-- transactional: false

SET lock_timeout = '60s'; -- reads and writes go on while these statements wait

-- Drop the invalid index of an attempt that failed.
DROP INDEX CONCURRENTLY IF EXISTS service_order_service_created_at;
CREATE INDEX CONCURRENTLY service_order_service_created_at ON service_order (service_id, created_at, id);
