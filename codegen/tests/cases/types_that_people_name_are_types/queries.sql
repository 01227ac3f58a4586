-- name: GetAccount :one
-- column: prefs os.system("x")
SELECT * FROM account WHERE id = @id;

-- name: GetPrefs :one
-- column: prefs is JSON
SELECT prefs FROM account WHERE id = @id;
