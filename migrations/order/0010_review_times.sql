-- The reviews of the last weeks, which are searched for rings.
SET LOCAL lock_timeout = '5s';

CREATE INDEX review_created_at ON review (created_at);
