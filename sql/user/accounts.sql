-- name: AddAccount :one
INSERT INTO account (
    id, email, first_name, last_name, phone_number, password_hash, role, created_by, updated_by
)
VALUES (
    @id, @email, @first_name, @last_name, @phone_number::text, @password_hash::text, @role, @created_by, @created_by
)
RETURNING *;

-- name: AddProvider :exec
INSERT INTO provider (account_id, personal_id, key_id, fingerprint)
VALUES (@account_id, @personal_id, @key_id, @fingerprint::bytea);

-- name: GetCredentials :one
-- What a login needs to know. Nobody logs in to a deleted account.
SELECT id, password_hash, role, status, verified FROM account
WHERE lower(email) = lower(@email) AND status <> 'deleted';

-- name: ConfirmLogin :one
-- Holds the account until the session is there: a change of the password either comes before and
-- is seen here, or waits and then ends that session too.
SELECT role, verified FROM account
WHERE id = @id AND status = 'active' AND password_hash = @password_hash::text
FOR SHARE;

-- name: GetPasswordHash :one
SELECT password_hash FROM account WHERE id = @id AND status = 'active';

-- name: LockAccount :one
-- The account as it is, to be changed by this transaction alone.
SELECT id, email, first_name, role, status, verified FROM account WHERE id = @id FOR UPDATE;

-- name: SetPassword :execrows
UPDATE account SET
    password_hash = @password_hash::text, version = version + 1, updated_at = now(), updated_by = @updated_by
WHERE id = @id AND status <> 'deleted';

-- name: RehashPassword :execrows
-- The same password under other parameters, unless it was changed meanwhile.
UPDATE account SET password_hash = @new_hash::text
WHERE id = @id AND password_hash = @old_hash::text;

-- name: VerifyEmail :one
-- No row where the account is gone or has another address by now.
UPDATE account SET verified = true, version = version + 1, updated_at = now(), updated_by = @id::text
WHERE id = @id AND lower(email) = lower(@email) AND status <> 'deleted'
RETURNING id, role;

-- name: IsVerifiedAddress :one
SELECT verified FROM account WHERE id = @id AND lower(email) = lower(@email) AND status <> 'deleted';

-- name: PermissionsOf :many
SELECT permission FROM role_permission WHERE role = @role ORDER BY permission;

-- name: PermissionsOfAccount :many
-- Those of the role that was created and given to it, else those of its kind.
SELECT p.permission FROM role_permission AS p JOIN account AS a ON a.role = p.role
WHERE a.id = @id AND a.custom_role IS NULL
UNION ALL
SELECT c.permission FROM custom_role_permission AS c JOIN account AS a ON a.custom_role = c.role
WHERE a.id = @id
ORDER BY permission;
