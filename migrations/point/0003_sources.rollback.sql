DROP INDEX point_entry_source;
ALTER TABLE point_entry DROP COLUMN source;
