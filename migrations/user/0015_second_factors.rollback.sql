-- The password is all there is again.
SET LOCAL lock_timeout = '5s';

ALTER TABLE session DROP COLUMN second_factor_at;
DROP TABLE passkey_challenge;
DROP TABLE passkey;
DROP TABLE recovery_code;
DROP TABLE authenticator;
