SET LOCAL lock_timeout = '5s';

DROP INDEX point_entry_user_id_created_at;
ALTER TABLE point_entry DROP COLUMN counterpart;
