-- name: GetAccount :one
SELECT * FROM account WHERE id = @id;

-- name: FindAccount :one
-- name: GetPrefs :one
SELECT prefs FROM account WHERE id = @id;

-- name: ListAccounts :many
