-- name: ListAuthors :many
SELECT a.id, a.name, sqlc.nest(b) AS books
FROM author a LEFT JOIN book b ON b.author_id = a.id
ORDER BY a.name, a.id, b.title;

-- name: GetAuthor :one
-- The lists of one author.
SELECT a.id, c.name AS country, sqlc.nest(b) AS books, sqlc.nest(r) AS books.reviews,
    sqlc.nest(w) AS awards
FROM author a
LEFT JOIN country c ON c.code = a.country
LEFT JOIN book b ON b.author_id = a.id
LEFT JOIN review r ON r.book_id = b.id
LEFT JOIN award w ON w.author_id = a.id
WHERE a.id = @id
ORDER BY b.title, r.id, w.year;

-- name: StreamAuthors :stream
SELECT sqlc.embed(a) AS author, sqlc.nest(r) AS reviews, sqlc.nest(w) AS awards
FROM author a
JOIN book b ON b.author_id = a.id
JOIN review r ON r.book_id = b.id
LEFT JOIN award w ON w.author_id = a.id
WHERE a.name > @parents -- :if parents
ORDER BY a.name, a.id, b.id, r.id, w.year;

-- name: OnlyAuthor :one
SELECT count.books, sqlc.nest(b) AS books
FROM (SELECT count(*) AS books FROM book) AS count LEFT JOIN book b ON true
ORDER BY b.id;

-- name: ListFirstBooks :many
SELECT a.id, sqlc.nest(b) AS books
FROM author a
LEFT JOIN LATERAL (
    SELECT * FROM book x WHERE x.author_id = a.id ORDER BY x.title LIMIT 1
) AS b ON true
ORDER BY a.id;
