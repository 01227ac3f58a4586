-- name: CountAttempt :one
-- Counts before the attempt is made: guesses at the same time cannot exceed the limit together.
INSERT INTO attempt (key, attempts, window_ends_at)
VALUES (@key, 1, now() + make_interval(secs => @seconds::double precision))
ON CONFLICT (key) DO UPDATE SET
    attempts = CASE WHEN attempt.window_ends_at <= now() THEN 1 ELSE attempt.attempts + 1 END,
    window_ends_at = CASE
        WHEN attempt.window_ends_at <= now() THEN excluded.window_ends_at ELSE attempt.window_ends_at
    END
RETURNING attempts, coalesce(extract(epoch FROM window_ends_at - now()), 0)::double precision AS seconds_left;

-- name: ForgetAttempts :execrows
-- Locked in the order of the keys, as attempts are counted: another order could deadlock.
WITH held AS (
    SELECT a.key FROM attempt AS a WHERE a.key = ANY (@keys::bytea[])
    ORDER BY array_position(@keys::bytea[], a.key)
    FOR UPDATE
)
DELETE FROM attempt USING held WHERE attempt.key = held.key;

-- name: ForgetOldAttempts :execrows
DELETE FROM attempt WHERE window_ends_at < now();

-- name: TakeAttemptBack :execrows
-- It was none: what was tried was right, or could not be looked at.
WITH last AS (DELETE FROM attempt WHERE key = @key AND attempts = 1)
UPDATE attempt SET attempts = attempts - 1 WHERE key = @key AND attempts > 1;
