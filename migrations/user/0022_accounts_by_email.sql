-- Read a page of accounts by email from an index. The index on lower(email) has another order and omits deleted accounts.
-- transactional: false

SET lock_timeout = '60s'; -- reads and writes go on while these statements wait

-- Drop the invalid index of an attempt that failed.
DROP INDEX CONCURRENTLY IF EXISTS account_email_id;
CREATE INDEX CONCURRENTLY account_email_id ON account (email, id);
