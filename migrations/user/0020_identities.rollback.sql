-- Passwords are the only way to sign in again.
SET LOCAL lock_timeout = '5s';

ALTER TABLE session DROP COLUMN identity_id;
DROP TABLE identity_request;
DROP TABLE identity;
