-- Accounts as their owners and those who look after them see and change them.

-- name: GetPerson :one
SELECT
    account.id, account.email, account.first_name, account.last_name, account.name, account.phone_number,
    account.role, account.custom_role, account.status, account.verified, account.picture_key, account.version,
    account.created_at, account.updated_at, staff.department_id, staff.age, staff.salary,
    provider.personal_id, provider.key_id
FROM account
LEFT JOIN staff ON staff.id = account.id
LEFT JOIN provider ON provider.account_id = account.id
WHERE account.id = @id AND account.status <> 'deleted';

-- name: LockPerson :one
-- The same, to be changed by this transaction alone.
SELECT id, email, role, custom_role, status, verified, picture_key, version, password_hash IS NOT NULL AS can_log_in
FROM account
WHERE id = @id AND status <> 'deleted'
FOR UPDATE;

-- name: GetProfile :one
-- What everybody may see of somebody.
SELECT id, first_name, last_name, role, verified, email, phone_number, picture_key, created_at
FROM account
WHERE id = @id AND status = 'active';

-- name: UpdatePerson :exec
-- What is null stays as it is.
UPDATE account SET
    first_name = coalesce(sqlc.narg(first_name)::text, first_name),
    last_name = coalesce(sqlc.narg(last_name)::text, last_name),
    phone_number = coalesce(sqlc.narg(phone_number)::text, phone_number),
    version = version + 1, updated_at = now(), updated_by = @updated_by
WHERE id = @id;

-- name: ChangeEmail :exec
-- Another address has yet to be proved.
UPDATE account SET email = @email, verified = false WHERE id = @id;

-- name: RespellEmail :exec
-- The same address in other letters: what was proved stays so.
UPDATE account SET email = @email WHERE id = @id AND lower(email) = lower(@email);

-- name: SetStatus :exec
UPDATE account SET
    status = @status, version = version + 1, updated_at = now(), updated_by = @updated_by
WHERE id = @id;

-- name: SetRole :exec
UPDATE account SET
    role = @role, custom_role = sqlc.narg(custom_role)::text,
    version = version + 1, updated_at = now(), updated_by = @updated_by
WHERE id = @id;

-- name: DeleteAccount :exec
-- The row stays for what refers to it; what could be used or is personal and needless goes.
UPDATE account SET
    status = 'deleted', deleted_at = now(), password_hash = NULL, phone_number = NULL, picture_key = NULL,
    custom_role = NULL, version = version + 1, updated_at = now(), updated_by = @updated_by
WHERE id = @id;

-- name: SetDeletedAt :exec
-- After a backup was restored: when the account was deleted first.
UPDATE account SET deleted_at = @deleted_at WHERE id = @id AND status = 'deleted';

-- name: RemoveProvider :execrows
DELETE FROM provider WHERE account_id = @account_id;

-- name: SetPicture :exec
UPDATE account SET
    picture_key = sqlc.narg(picture_key)::text,
    version = version + 1, updated_at = now(), updated_by = @updated_by
WHERE id = @id;

-- name: AddFileToRemove :exec
INSERT INTO file_to_remove (key, due_at) VALUES (@key, now() + make_interval(secs => @seconds::double precision))
ON CONFLICT (key) DO UPDATE SET due_at = excluded.due_at;

-- name: KeepFile :execrows
DELETE FROM file_to_remove WHERE key = @key;

-- name: ClaimFileToRemove :one
-- The file that has been due longest; where its removal fails it is due again after the lease.
UPDATE file_to_remove SET
    attempts = attempts + 1,
    due_at = now() + make_interval(secs => @lease_seconds::double precision)
WHERE key = (
    SELECT waiting.key FROM file_to_remove AS waiting
    WHERE waiting.due_at <= now()
    ORDER BY waiting.due_at
    LIMIT 1
    FOR UPDATE SKIP LOCKED
)
RETURNING key, attempts;

-- name: PersonalIdOf :one
SELECT personal_id, key_id, created_at FROM provider WHERE account_id = @account_id;

-- name: ExportSessions :many
SELECT id, created_at, refreshed_at, expires_at, revoked_at, revoked_because FROM session
WHERE account_id = @account_id
ORDER BY created_at, id
LIMIT 1000;

-- name: ExportMails :many
SELECT template, recipient, created_at, sent_at FROM mail_outbox
WHERE account_id = @account_id
ORDER BY created_at, id
LIMIT 1000;

-- name: ExportAudit :many
-- What was done by somebody and to their account.
SELECT id, at, actor, action, resource_type, resource_id, address FROM audit_entry
WHERE actor = @account_id::uuid::text OR (resource_type = 'account' AND resource_id = @account_id::uuid::text)
ORDER BY id
LIMIT 10000;

-- name: SetVerified :exec
UPDATE account SET verified = true WHERE id = @id;

-- name: EraseAccounts :many
-- Who they were, of those that were deleted long enough ago; the row stays for what refers to it.
UPDATE account SET
    email = 'erased-' || id || '@invalid', first_name = 'erased', last_name = '', erased_at = now(),
    version = version + 1, updated_at = now(), updated_by = 'system'
WHERE id IN (
    SELECT gone.id FROM account AS gone
    WHERE gone.deleted_at < now() - make_interval(days => @keep_days::integer) AND gone.erased_at IS NULL
    ORDER BY gone.deleted_at
    LIMIT @batch_size
    FOR UPDATE SKIP LOCKED
)
RETURNING id;
