-- Answers to be given again.

-- name: ClaimKey :one
-- The lease where the key is now ours: it is new, or its answer is too old, or its owner is gone.
INSERT INTO idempotency_key (principal, route, request_key, fingerprint, lease, leased_until, expires_at)
VALUES (
    @principal, @route, @request_key, @fingerprint, @lease,
    now() + make_interval(secs => @lease_seconds::double precision),
    now() + make_interval(secs => @keep_seconds::double precision)
)
ON CONFLICT (principal, route, request_key) DO UPDATE SET
    fingerprint = excluded.fingerprint,
    lease = excluded.lease,
    leased_until = excluded.leased_until,
    expires_at = excluded.expires_at,
    status = NULL, headers = NULL, body = NULL, done = false
WHERE
    idempotency_key.expires_at < now()
    OR (
        idempotency_key.status IS NULL
        AND NOT idempotency_key.done
        AND idempotency_key.leased_until < now()
        AND idempotency_key.fingerprint = excluded.fingerprint
    )
RETURNING lease;

-- name: GetAnswer :one
-- The answer; without one, `lost` says that the work was done by a process that died before it answered.
SELECT fingerprint, status, headers, body, (done AND leased_until < now()) AS lost
FROM idempotency_key
WHERE principal = @principal AND route = @route AND request_key = @request_key;

-- name: MarkDone :execrows
-- For the transaction that does the work: what is committed is not done again.
UPDATE idempotency_key SET done = true
WHERE principal = @principal AND route = @route AND request_key = @request_key AND lease = @lease AND status IS NULL;

-- name: StoreAnswer :execrows
UPDATE idempotency_key
SET status = @http_status::integer, headers = @headers::text, body = @body::bytea
WHERE principal = @principal AND route = @route AND request_key = @request_key AND lease = @lease AND status IS NULL;

-- name: ReleaseKey :execrows
DELETE FROM idempotency_key
WHERE principal = @principal AND route = @route AND request_key = @request_key AND lease = @lease AND status IS NULL;

-- name: ForgetAnswers :execrows
-- The oldest first, and not more than a statement has time for. What was claimed again meanwhile stays:
-- the first condition is asked again of the row as it is then.
DELETE FROM idempotency_key
WHERE expires_at < now() AND (principal, route, request_key) IN (
    SELECT principal, route, request_key FROM idempotency_key
    WHERE expires_at < now() ORDER BY expires_at LIMIT @at_most
);

-- name: EraseAnswers :execrows
-- Of somebody who is gone: what they were told may name them.
DELETE FROM idempotency_key WHERE principal = @principal;
