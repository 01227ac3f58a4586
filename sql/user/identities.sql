-- Accounts at identity providers, by issuer and subject, and the requests that are under way there.

-- name: AddIdentityRequest :exec
INSERT INTO identity_request (state, browser, provider, nonce, verifier, return_to, session_id)
VALUES (@state, @browser, @provider, @nonce, @verifier, @return_to, @session_id::uuid);

-- name: SpendIdentityRequest :one
-- Take the request of a state, once. Another browser, purpose or provider gets no row.
DELETE FROM identity_request
WHERE state = @state AND browser = @browser AND provider = @provider AND expires_at > now()
    AND session_id IS NOT DISTINCT FROM @session_id::uuid
RETURNING nonce, verifier, return_to;

-- name: ForgetIdentityRequests :execrows
DELETE FROM identity_request WHERE expires_at < now();

-- name: FindIdentity :one
-- Whose it is, and whether it may come in. Deleted accounts have none.
SELECT identity.id, identity.account_id, account.status
FROM identity
JOIN account ON account.id = identity.account_id
WHERE identity.issuer = @issuer AND identity.subject = @subject;

-- name: HoldAccount :one
-- Until the session is there: whoever unlinks or deactivates either comes before and is seen by this
-- and the next statement, or waits and then ends that session too.
SELECT role, verified FROM account WHERE id = @id AND status = 'active' FOR SHARE;

-- name: IsLinked :one
SELECT EXISTS (SELECT FROM identity WHERE id = @id AND account_id = @account_id) AS linked;

-- name: AddIdentity :exec
INSERT INTO identity (id, account_id, issuer, subject, proved) VALUES (@id, @account_id, @issuer, @subject, @proved);

-- name: ProveIdentities :execrows
UPDATE identity SET proved = true WHERE account_id = @account_id AND NOT proved;

-- name: UnproveIdentities :execrows
-- Mark the account's identities as not proved, because its address has changed.
UPDATE identity SET proved = false WHERE account_id = @account_id AND proved;

-- name: NoteIdentityUsed :execrows
UPDATE identity SET used_at = now() WHERE id = @id;

-- name: ListIdentities :many
SELECT id, issuer, subject, proved, created_at, used_at FROM identity
WHERE account_id = @account_id
ORDER BY created_at, id
LIMIT 100;

-- name: HasUsablePassword :one
-- Return whether the account has a usable password: `-` is one that its owner has still to set.
SELECT password_hash IS NOT NULL AND password_hash <> '-' AS usable FROM account WHERE id = @id;

-- name: RemoveIdentity :execrows
DELETE FROM identity WHERE id = @id AND account_id = @account_id;

-- name: RemoveIdentities :execrows
DELETE FROM identity WHERE account_id = @account_id;

-- name: RemoveUnprovedIdentities :execrows
DELETE FROM identity WHERE account_id = @account_id AND NOT proved;

-- name: RemoveIdentitiesSince :execrows
DELETE FROM identity WHERE account_id = @account_id AND created_at >= @since;

-- name: NoteSessionIdentity :execrows
UPDATE session SET identity_id = @identity_id::uuid WHERE id = @id;

-- name: RevokeIdentitySessions :many
-- Those that were opened with it, but for the one that asks.
UPDATE session SET revoked_at = now(), revoked_because = @because::text
WHERE identity_id = @identity_id::uuid AND id <> @id AND revoked_at IS NULL
RETURNING id;
