SET LOCAL lock_timeout = '5s';

DROP INDEX job_completed_at;
DROP INDEX job_done_at;
