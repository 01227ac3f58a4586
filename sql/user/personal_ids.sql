-- name: CountPersonalIds :many
-- And secrets of authenticators, which are under the same keys.
SELECT sealed.key_id, count(*) AS kept
FROM (SELECT key_id FROM provider UNION ALL SELECT key_id FROM authenticator) AS sealed
GROUP BY sealed.key_id
ORDER BY sealed.key_id;

-- name: LockFormerPersonalIds :many
-- The next of those that are not under the newest key, or have no print yet, until the transaction
-- ends. It waits for whoever has one of them: what was skipped would have to be looked for again.
SELECT account_id, personal_id, key_id FROM provider
WHERE (key_id <> @newest OR fingerprint IS NULL) AND account_id > @after
ORDER BY account_id
LIMIT @batch_size
FOR UPDATE;

-- name: ReplacePersonalIds :execrows
-- Of several accounts with one personal id, from before there was one of each, the first gets the print.
UPDATE provider SET personal_id = sealed.personal_id, key_id = @newest, fingerprint = CASE
    WHEN sealed.nth = 1 AND NOT EXISTS (
        SELECT FROM provider AS other
        WHERE other.fingerprint = sealed.fingerprint AND other.account_id <> sealed.account_id
    ) THEN sealed.fingerprint
END
FROM (
    SELECT account_id, personal_id, fingerprint, row_number() OVER (PARTITION BY fingerprint ORDER BY account_id) AS nth
    FROM unnest(@account_ids::uuid[], @personal_ids::bytea[], @fingerprints::bytea[])
        AS given (account_id, personal_id, fingerprint)
) AS sealed
WHERE provider.account_id = sealed.account_id;

-- name: IsKnownPersonalId :one
SELECT EXISTS (
    SELECT FROM provider WHERE fingerprint = ANY(@fingerprints::bytea[]) AND account_id <> @account_id
) AS known;

-- name: CountSharedPersonalIds :one
SELECT count(*) AS shared FROM provider WHERE fingerprint IS NULL;
