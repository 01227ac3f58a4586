-- What nobody has objected to, the longest done first; and what is counted of pairs of people.
SET LOCAL lock_timeout = '5s';

CREATE INDEX job_done_at ON job (updated_at, id) WHERE status = 'DONE';
CREATE INDEX job_completed_at ON job (updated_at) WHERE status = 'COMPLETED';
