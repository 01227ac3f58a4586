-- name: AddMail :exec
INSERT INTO mail_outbox (id, template, account_id, recipient)
VALUES (@id, @template, @account_id, @recipient);

-- name: AddMailForAccount :execrows
-- An email to the owner of an active account with a verified address; no email otherwise.
INSERT INTO mail_outbox (id, template, account_id, recipient)
SELECT @id, @template, account.id, account.email FROM account
WHERE account.id = @account_id AND account.status = 'active' AND account.verified;

-- name: AskToVerify :execrows
-- A mail if the address belongs to an account that is to be verified, else none: one statement,
-- so that both take the same time.
INSERT INTO mail_outbox (id, template, account_id, recipient)
SELECT @id, 'verify_email', account.id, account.email FROM account
WHERE lower(account.email) = lower(@email) AND account.status = 'active' AND NOT account.verified
    -- Who has never had a password is invited, and verified by setting it.
    AND account.password_hash IS NOT NULL;

-- name: AskToReset :execrows
-- The same for a new password; an account that never had one cannot be taken over this way. Nor
-- can one whose former address may still have it back (`GetAddressBefore`): that link undoes the change.
INSERT INTO mail_outbox (id, template, account_id, recipient)
SELECT
    @id,
    CASE
        WHEN NOT account.verified AND EXISTS (
            SELECT FROM former_address
            WHERE former_address.account_id = account.id AND lower(former_address.email) <> lower(account.email)
                AND former_address.changed_at > now() - interval '8 days'
        ) THEN 'address_release'
        ELSE 'reset_password'
    END,
    account.id, account.email
FROM account
WHERE lower(account.email) = lower(@email) AND account.status = 'active'
    AND account.password_hash IS NOT NULL;

-- name: ClaimMail :one
-- The mail that has been due longest among the first of the templates of which there is one, for
-- one sender at a time: claiming it is an attempt, and until the lease ends nobody else tries.
UPDATE mail_outbox SET
    attempts = attempts + 1,
    due_at = now() + make_interval(secs => @lease_seconds::double precision)
WHERE id = (
    SELECT oldest.id
    FROM unnest(@templates::text[]) WITH ORDINALITY AS kind (template, place)
    CROSS JOIN LATERAL (
        SELECT waiting.id FROM mail_outbox AS waiting
        WHERE waiting.template = kind.template
            AND waiting.due_at <= now() AND waiting.sent_at IS NULL AND waiting.failed_at IS NULL
        ORDER BY waiting.due_at
        LIMIT 1
        FOR UPDATE SKIP LOCKED
    ) AS oldest
    ORDER BY kind.place
    LIMIT 1
)
RETURNING id, template, account_id, recipient, attempts, created_at;

-- name: GetAddressee :one
-- Null where there is nobody to write to any more.
SELECT first_name, email, status FROM account WHERE id = @id;

-- name: MarkSent :execrows
UPDATE mail_outbox SET sent_at = now(), last_error = NULL WHERE id = @id;

-- name: MarkFailed :execrows
UPDATE mail_outbox SET failed_at = now(), last_error = @last_error::text WHERE id = @id;

-- name: RetryMail :execrows
UPDATE mail_outbox SET
    due_at = now() + make_interval(secs => @seconds::double precision), last_error = @last_error::text
WHERE id = @id;

-- ignore: V030 a partial index has only the waiting emails, which are few
-- name: MeasureMail :one
SELECT count(*) AS waiting, coalesce(extract(epoch FROM now() - min(created_at)), 0)::double precision AS oldest_seconds
FROM mail_outbox
WHERE sent_at IS NULL AND failed_at IS NULL;

-- name: ForgetMail :execrows
DELETE FROM mail_outbox
WHERE (sent_at IS NOT NULL OR failed_at IS NOT NULL) AND created_at < now() - interval '30 days';

-- name: EraseMail :execrows
-- Of an account that is gone, whatever has become of it.
DELETE FROM mail_outbox WHERE account_id = @account_id;
