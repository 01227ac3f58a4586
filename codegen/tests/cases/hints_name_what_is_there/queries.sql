-- name: GetPrefs :one
-- column: prefz dict[str, int]
-- param: other int
SELECT prefs FROM account WHERE id = @id;
