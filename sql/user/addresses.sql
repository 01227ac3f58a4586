-- Former addresses of accounts: for a week their owners undo the change.

-- name: AddFormerAddress :exec
INSERT INTO former_address (account_id, email) VALUES (@account_id, @email);

-- name: GetFormerAddress :one
-- When it was given up, for the last time; a day longer than the link works, which begins later.
SELECT changed_at FROM former_address
WHERE account_id = @account_id AND lower(email) = lower(@email) AND changed_at > now() - interval '8 days'
ORDER BY changed_at DESC
LIMIT 1;

-- name: IsKeptAddress :one
-- Whether it is kept for an account that had it a week ago, another one than this.
SELECT EXISTS (
    SELECT FROM former_address
    WHERE lower(email) = lower(@email) AND account_id <> @account_id AND changed_at > now() - interval '8 days'
) AS kept;

-- name: RestoreAddress :execrows
-- Proved, since its link was mailed to it. The password is nobody's until one is set by mail.
UPDATE account SET
    email = @email, verified = true,
    password_hash = CASE WHEN password_hash IS NULL THEN NULL ELSE '-' END,
    version = version + 1, updated_at = now(), updated_by = @id::text
WHERE id = @id AND status = 'active';

-- name: RemoveFormerAddressesSince :execrows
DELETE FROM former_address WHERE account_id = @account_id AND changed_at >= @since;

-- name: RemoveAuthenticatorSince :execrows
DELETE FROM authenticator WHERE account_id = @account_id AND created_at >= @since;

-- name: RemovePasskeysSince :execrows
DELETE FROM passkey WHERE account_id = @account_id AND created_at >= @since;

-- name: EraseFormerAddresses :execrows
DELETE FROM former_address WHERE account_id = @account_id;

-- name: ForgetFormerAddresses :execrows
DELETE FROM former_address WHERE changed_at < now() - interval '8 days';
