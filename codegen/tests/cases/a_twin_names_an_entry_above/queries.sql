-- name: ListItems :many
SELECT id FROM item ORDER BY id;
