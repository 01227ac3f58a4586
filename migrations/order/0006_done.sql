-- A provider says that a job is done; completed it is when its customer confirms.
SET LOCAL lock_timeout = '5s';

ALTER TYPE job_status ADD VALUE 'DONE' BEFORE 'COMPLETED';
