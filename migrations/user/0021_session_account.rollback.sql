-- transactional: false

SET lock_timeout = '60s'; -- reads and writes go on while these statements wait

DROP INDEX CONCURRENTLY IF EXISTS session_account_id;
CREATE INDEX CONCURRENTLY session_account_id ON session (account_id) WHERE revoked_at IS NULL;
DROP INDEX CONCURRENTLY IF EXISTS session_account_id_created_at;
