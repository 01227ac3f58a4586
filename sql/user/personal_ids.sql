-- name: CountPersonalIds :many
-- And secrets of authenticators, which are under the same keys.
SELECT sealed.key_id, count(*) AS kept
FROM (SELECT key_id FROM provider UNION ALL SELECT key_id FROM authenticator) AS sealed
GROUP BY sealed.key_id
ORDER BY sealed.key_id;

-- name: LockFormerPersonalIds :many
-- The next of those that are not under the newest key, until the transaction ends. It waits for
-- whoever has one of them: what was skipped would have to be looked for again.
SELECT account_id, personal_id, key_id FROM provider
WHERE key_id <> @newest AND account_id > @after
ORDER BY account_id
LIMIT @batch_size
FOR UPDATE;

-- name: ReplacePersonalIds :execrows
UPDATE provider SET personal_id = sealed.personal_id, key_id = @newest
FROM unnest(@account_ids::uuid[], @personal_ids::bytea[]) AS sealed (account_id, personal_id)
WHERE provider.account_id = sealed.account_id;
