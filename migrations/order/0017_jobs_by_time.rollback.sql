-- transactional: false

SET lock_timeout = '60s'; -- reads and writes go on while these statements wait

DROP INDEX CONCURRENTLY IF EXISTS job_created_at;
DROP INDEX CONCURRENTLY IF EXISTS job_book_time;
