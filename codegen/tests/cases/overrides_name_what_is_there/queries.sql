-- name: GetAccount :one
SELECT * FROM account WHERE id = @id;
