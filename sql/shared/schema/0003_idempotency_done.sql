-- Whether the work of a key was committed: said in the transaction that did it.
SET LOCAL lock_timeout = '5s';

ALTER TABLE idempotency_key ADD COLUMN done boolean NOT NULL DEFAULT false;
