SET LOCAL lock_timeout = '5s';

ALTER TABLE provider DROP COLUMN fingerprint;
