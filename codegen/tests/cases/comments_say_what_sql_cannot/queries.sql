-- name: GetPrefs :one
-- column: prefs dict[str, int]
-- column: score float!
SELECT prefs, extra, score FROM account WHERE id = @id AND score IS NOT NULL;

-- name: SetPrefs :exec
-- param: prefs dict[str, int]
UPDATE account SET prefs = @prefs WHERE id = @id;

-- name: ListPrefs :many
-- column: prefs dict[str, int]
SELECT prefs FROM account;

-- name: ListMaybe :many
-- column: id ?
SELECT id FROM account;

-- name: AllColumns :many
SELECT * FROM account;

-- name: ListExtras :many
SELECT extra FROM account WHERE id = 1 UNION ALL SELECT extra FROM account WHERE id = 2;
