-- name: ListPeople :many
SELECT * FROM person;

-- name: GetPerson :one
SELECT * FROM person WHERE id = @id;

-- name: StreamPeople :stream
SELECT * FROM person;
