-- One personal id, one account: a print of it under a key of the service says whether another account has it.
SET LOCAL lock_timeout = '5s';

ALTER TABLE provider ADD COLUMN fingerprint bytea CHECK (length(fingerprint) = 32); -- NULL until `rekey` has made it

CREATE UNIQUE INDEX provider_fingerprint ON provider (fingerprint);
