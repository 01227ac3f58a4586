-- name: AddToken :execrows
-- Add no token to verify an address that was verified meanwhile, and none for a deleted account. A
-- verification or deletion that runs now has the row locked: the share lock waits for its end, or
-- makes it wait and spend or delete this token.
INSERT INTO account_token (hash, kind, account_id, email, expires_at)
SELECT @hash, @kind::token_kind, account.id, @email, now() + make_interval(secs => @seconds::double precision)
FROM account
WHERE account.id = @account_id AND account.status <> 'deleted'
    AND NOT (@kind = 'verify_email' AND account.verified)
FOR SHARE;

-- name: GetToken :one
SELECT account_id, email, used_at IS NOT NULL AS used, expires_at <= now() AS expired
FROM account_token
WHERE hash = @hash AND kind = @kind;

-- name: SpendToken :one
-- Of several that present one token, one gets the row.
UPDATE account_token SET used_at = now()
WHERE hash = @hash AND kind = @kind AND used_at IS NULL AND expires_at > now()
RETURNING account_id, email;

-- name: SpendTokens :execrows
-- All others of the kind: what they were for is done.
UPDATE account_token SET used_at = now()
WHERE account_id = @account_id AND kind = @kind AND used_at IS NULL;

-- name: ForgetTokens :execrows
DELETE FROM account_token WHERE expires_at < now() - interval '30 days';

-- name: EraseTokens :execrows
-- With the addresses they were mailed to.
DELETE FROM account_token WHERE account_id = @account_id;
