-- Without the marks, the work of a process that died is done again.
SET LOCAL lock_timeout = '5s';

ALTER TABLE service_order DROP COLUMN request_key;
ALTER TABLE idempotency_key DROP COLUMN done;
