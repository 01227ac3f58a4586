-- Former addresses of accounts: for a week their owners undo the change.

-- name: AddFormerAddress :exec
INSERT INTO former_address (account_id, email) VALUES (@account_id, @email);

-- name: GetFormerAddress :one
-- When it was given up, for the last time; a day longer than the link works, which begins later.
SELECT changed_at FROM former_address
WHERE account_id = @account_id AND lower(email) = lower(@email) AND changed_at > now() - interval '8 days'
ORDER BY changed_at DESC
LIMIT 1;

-- name: GetAddressBefore :one
-- The last verified address before the present one, while it can be restored. No row if the present
-- one is verified, or the account never had a password: only an administrator changed that address.
SELECT former_address.email, former_address.changed_at
FROM former_address
JOIN account ON account.id = former_address.account_id
WHERE account.id = @account_id AND NOT account.verified AND account.password_hash IS NOT NULL
    AND lower(former_address.email) <> lower(account.email)
    AND former_address.changed_at > now() - interval '8 days'
ORDER BY former_address.changed_at DESC
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
