SET LOCAL lock_timeout = '5s';

DROP TABLE departed;
ALTER TABLE member DROP COLUMN blocked;
ALTER TABLE channel DROP COLUMN ended_at;
