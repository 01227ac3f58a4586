-- Without the mark, the work of a process that died is done again.
SET LOCAL lock_timeout = '5s';

ALTER TABLE idempotency_key DROP COLUMN done;
