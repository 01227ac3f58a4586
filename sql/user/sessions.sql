-- name: AddSession :exec
INSERT INTO session (id, account_id, expires_at) VALUES (@id, @account_id, @expires_at);

-- name: AddRefreshToken :exec
INSERT INTO refresh_token (hash, session_id, expires_at) VALUES (@hash, @session_id, @expires_at);

-- name: SpendRefreshToken :one
-- Of several that present one token, one gets the session; the others wait and get nothing.
UPDATE refresh_token SET used_at = now()
WHERE hash = @hash AND used_at IS NULL AND expires_at > now()
RETURNING session_id;

-- name: SessionOfToken :one
SELECT session_id, used_at IS NOT NULL AS spent FROM refresh_token WHERE hash = @hash;

-- name: LockSession :one
-- A session that still holds, with its account as it is now.
SELECT
    session.id, session.created_at, session.second_factor_at IS NOT NULL AS shown,
    account.id AS account_id, account.role, account.verified
FROM session
JOIN account ON account.id = session.account_id
WHERE session.id = @id AND session.revoked_at IS NULL AND account.status = 'active'
FOR UPDATE OF session;

-- name: ExtendSession :exec
UPDATE session SET refreshed_at = now(), expires_at = @expires_at WHERE id = @id;

-- name: RevokeSession :one
-- Whose session it was; nothing where it had ended.
UPDATE session SET revoked_at = now(), revoked_because = @because::text
WHERE id = @id AND revoked_at IS NULL
RETURNING account_id;

-- name: RevokeSessions :many
UPDATE session SET revoked_at = now(), revoked_because = @because::text
WHERE account_id = @account_id AND revoked_at IS NULL
RETURNING id;

-- name: ListSessions :many
-- Those that can still be refreshed, youngest first.
SELECT id, created_at, refreshed_at, expires_at FROM session
WHERE account_id = @account_id AND revoked_at IS NULL AND expires_at > now()
ORDER BY created_at DESC, id
LIMIT 100;

-- name: RevokeOwnSession :execrows
UPDATE session SET revoked_at = now(), revoked_because = 'logout'
WHERE id = @id AND account_id = @account_id AND revoked_at IS NULL;

-- name: ForgetSessions :execrows
-- Their tokens go with them. Kept for a while after the end, to recognise a stolen token.
DELETE FROM session WHERE expires_at < now() - interval '30 days';
