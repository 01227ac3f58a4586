-- transactional: false

SET lock_timeout = '60s'; -- reads and writes go on while these statements wait

DROP INDEX CONCURRENTLY IF EXISTS service_order_time_start;
