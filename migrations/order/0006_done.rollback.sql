-- A type cannot lose a value: it is made anew, with what refers to it.
SET LOCAL lock_timeout = '5s';

DROP INDEX job_order_key;
ALTER TYPE job_status RENAME TO job_status_with_done;
CREATE TYPE job_status AS ENUM ('PENDING', 'IN_PROGRESS', 'PAUSED', 'COMPLETED', 'CANCELLED');
ALTER TABLE job
    ALTER COLUMN status DROP DEFAULT,
    ALTER COLUMN status TYPE job_status
        USING (CASE status WHEN 'DONE' THEN 'IN_PROGRESS' ELSE status::text END)::job_status,
    ALTER COLUMN status SET DEFAULT 'PENDING';
DROP TYPE job_status_with_done;
CREATE UNIQUE INDEX job_order_key ON job (order_id) WHERE status <> 'CANCELLED';
