-- With whom points were earned, so that two who deal with one another only are not thanked for ever.
SET LOCAL lock_timeout = '5s';

ALTER TABLE point_entry ADD COLUMN counterpart uuid;
-- What somebody was given of late.
CREATE INDEX point_entry_user_id_created_at ON point_entry (user_id, created_at) WHERE source IS NOT NULL;
