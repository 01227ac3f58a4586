-- Read a page of the jobs of everybody from an index.
-- transactional: false

SET lock_timeout = '60s'; -- reads and writes go on while these statements wait

-- Drop the invalid indexes of an attempt that failed.
DROP INDEX CONCURRENTLY IF EXISTS job_created_at;
DROP INDEX CONCURRENTLY IF EXISTS job_book_time;
CREATE INDEX CONCURRENTLY job_created_at ON job (created_at, id);
CREATE INDEX CONCURRENTLY job_book_time ON job (book_time, id);
