-- Find all sessions of an account, also ended ones: ExportSessions reads them, and the foreign key deletes them.
-- transactional: false

SET lock_timeout = '60s'; -- reads and writes go on while these statements wait

-- Drop the invalid index of an attempt that failed.
DROP INDEX CONCURRENTLY IF EXISTS session_account_id_created_at;
CREATE INDEX CONCURRENTLY session_account_id_created_at ON session (account_id, created_at, id);
DROP INDEX CONCURRENTLY IF EXISTS session_account_id;
