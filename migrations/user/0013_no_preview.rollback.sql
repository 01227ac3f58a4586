-- What was forgotten of personal ids is not known here: zeros stand for it.
SET LOCAL lock_timeout = '5s';

DROP TRIGGER provider_keep_no_preview ON provider;
DROP FUNCTION provider_keep_no_preview();
UPDATE provider SET preview = '00000' WHERE preview IS NULL;
ALTER TABLE provider ALTER COLUMN preview SET NOT NULL;
