SET LOCAL lock_timeout = '5s';

DROP INDEX review_created_at;
