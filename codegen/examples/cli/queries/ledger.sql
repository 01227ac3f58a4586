-- Accounts and what was booked on them.

-- name: AccountNamed :one
-- Find an account, or make it.
INSERT INTO account (name) VALUES (@name)
ON CONFLICT (name) DO UPDATE SET name = excluded.name
RETURNING id;

-- name: CopyEntries :copyfrom
INSERT INTO entry (account_id, amount, made_on, note) VALUES (@account_id, @amount, @made_on, @note);

-- name: Balances :many
SELECT account.name, coalesce(sum(entry.amount), 0) AS balance, count(entry.id) AS entries
FROM account LEFT JOIN entry ON entry.account_id = account.id
GROUP BY account.id
ORDER BY account.name;

-- name: Entries :stream
SELECT entry.made_on, entry.amount, entry.note
FROM entry JOIN account ON account.id = entry.account_id
WHERE account.name = @name
ORDER BY entry.made_on, entry.id;
