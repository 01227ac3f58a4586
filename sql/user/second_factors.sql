-- Second factors: authenticators with codes, passkeys, recovery codes.

-- name: IsEnrolled :one
SELECT
    EXISTS (SELECT FROM authenticator WHERE account_id = @account_id AND confirmed)
    OR EXISTS (SELECT FROM passkey WHERE account_id = @account_id) AS enrolled;

-- name: GetSessionStanding :one
-- Seconds since the login, while the session holds; whether a second factor was shown in it, and
-- whether there is one to be shown.
SELECT
    coalesce(extract(epoch FROM now() - session.created_at), 0)::double precision AS seconds,
    session.second_factor_at IS NOT NULL AS shown,
    EXISTS (SELECT FROM authenticator WHERE authenticator.account_id = session.account_id AND authenticator.confirmed)
    OR EXISTS (SELECT FROM passkey WHERE passkey.account_id = session.account_id) AS enrolled
FROM session
WHERE session.id = @id AND session.account_id = @account_id AND session.revoked_at IS NULL
    AND session.expires_at > now();

-- name: NoteShown :execrows
UPDATE session SET second_factor_at = now() WHERE id = @id AND account_id = @account_id AND revoked_at IS NULL;

-- name: RevokeOtherSessions :many
-- Whoever was signed in before there was a second factor has shown none.
UPDATE session SET revoked_at = now(), revoked_because = @because::text
WHERE account_id = @account_id AND id <> @id AND revoked_at IS NULL
RETURNING id;

-- name: PutAuthenticator :execrows
-- In the place of one that was never confirmed; nothing where there is one that was.
INSERT INTO authenticator (account_id, secret, key_id) VALUES (@account_id, @secret, @key_id)
ON CONFLICT (account_id) DO UPDATE SET
    secret = excluded.secret, key_id = excluded.key_id, last_step = 0, created_at = now()
WHERE NOT authenticator.confirmed;

-- name: GetAuthenticator :one
SELECT secret, key_id, confirmed, last_step FROM authenticator WHERE account_id = @account_id;

-- name: SpendStep :execrows
-- Of several that present one code, one gets the row; an older code than the last gets none.
UPDATE authenticator SET last_step = @step, confirmed = true
WHERE account_id = @account_id AND last_step < @step AND confirmed = @confirmed;

-- name: RemoveAuthenticator :execrows
DELETE FROM authenticator WHERE account_id = @account_id;

-- name: AddRecoveryCodes :execrows
INSERT INTO recovery_code (hash, account_id)
SELECT code.hash, @account_id FROM unnest(@hashes::bytea[]) AS code (hash);

-- name: SpendRecoveryCode :execrows
DELETE FROM recovery_code WHERE hash = @hash AND account_id = @account_id;

-- name: RemoveRecoveryCodes :execrows
DELETE FROM recovery_code WHERE account_id = @account_id;

-- name: CountRecoveryCodes :one
SELECT count(*) FROM recovery_code WHERE account_id = @account_id;

-- name: AddPasskey :exec
INSERT INTO passkey (id, account_id, public_key, sign_count, name)
VALUES (@id, @account_id, @public_key, @sign_count, @name);

-- name: ListPasskeys :many
SELECT id, name, created_at, used_at FROM passkey WHERE account_id = @account_id ORDER BY created_at, id LIMIT 100;

-- name: LockPasskey :one
SELECT id, public_key, sign_count FROM passkey WHERE id = @id AND account_id = @account_id FOR UPDATE;

-- name: NotePasskeyUsed :execrows
UPDATE passkey SET sign_count = @sign_count, used_at = now() WHERE id = @id;

-- name: RemovePasskey :execrows
DELETE FROM passkey WHERE id = @id AND account_id = @account_id;

-- name: RemovePasskeys :execrows
DELETE FROM passkey WHERE account_id = @account_id;

-- name: PutChallenge :exec
INSERT INTO passkey_challenge (session_id, purpose, challenge, expires_at)
VALUES (@session_id, @purpose, @challenge, now() + interval '5 minutes')
ON CONFLICT (session_id, purpose) DO UPDATE SET challenge = excluded.challenge, expires_at = excluded.expires_at;

-- name: SpendChallenge :one
DELETE FROM passkey_challenge WHERE session_id = @session_id AND purpose = @purpose AND expires_at > now()
RETURNING challenge;

-- name: LockFormerAuthenticators :many
-- The next of those that are not under the newest key; see LockFormerPersonalIds.
SELECT account_id, secret, key_id FROM authenticator
WHERE key_id <> @newest AND account_id > @after
ORDER BY account_id
LIMIT @batch_size
FOR UPDATE;

-- name: ReplaceAuthenticators :execrows
UPDATE authenticator SET secret = sealed.secret, key_id = @newest
FROM unnest(@account_ids::uuid[], @secrets::bytea[]) AS sealed (account_id, secret)
WHERE authenticator.account_id = sealed.account_id;
