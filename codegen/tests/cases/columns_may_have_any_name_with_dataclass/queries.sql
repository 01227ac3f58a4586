-- name: AddThing :batchone
INSERT INTO thing ("self", "_id", "__secret", "json", "date", "due", "other", "part")
VALUES (@self, @_id, @__secret, @json, @date, @due, @other, ROW(1, 'a')::part)
RETURNING *;

-- name: ListThings :many
SELECT "self", "_id", "__secret" AS "__", "date", "due", "int", "other" AS "_1" FROM thing;
