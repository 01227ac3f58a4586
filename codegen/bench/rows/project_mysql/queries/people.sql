-- name: ListPeople :many
SELECT * FROM person;

-- name: GetPerson :one
SELECT * FROM person WHERE id = sqlc.arg(id);
