-- name: ListAuthors :many
SELECT a.id, a.name, a.joined_at, sqlc.nest(b) AS books
FROM author AS a LEFT JOIN book AS b ON b.author_id = a.id
ORDER BY a.id, b.id;

-- name: ListWithAwards :many
SELECT a.id, a.name, a.joined_at, sqlc.nest(b) AS books, sqlc.nest(w) AS awards
FROM author AS a
LEFT JOIN book AS b ON b.author_id = a.id
LEFT JOIN award AS w ON w.author_id = a.id
ORDER BY a.id, b.id, w.id;
