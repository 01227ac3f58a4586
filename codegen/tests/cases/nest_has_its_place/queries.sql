-- name: Paged :page
SELECT a.id, sqlc.nest(b) AS books FROM author a LEFT JOIN book b ON b.author_id = a.id
ORDER BY a.id;

-- name: Batched :batchmany
SELECT a.id, sqlc.nest(b) AS books FROM author a LEFT JOIN book b ON b.author_id = a.id
WHERE a.id = @id;

-- name: Cut :many
SELECT a.id, sqlc.nest(b) AS books FROM author a LEFT JOIN book b ON b.author_id = a.id
ORDER BY a.id LIMIT 10;

-- name: Skipped :many
SELECT a.id, sqlc.nest(b) AS books FROM author a LEFT JOIN book b ON b.author_id = a.id
ORDER BY a.id OFFSET @skip;

-- name: Fetched :many
SELECT a.id, sqlc.nest(b) AS books FROM author a LEFT JOIN book b ON b.author_id = a.id
ORDER BY a.id FETCH FIRST ROW ONLY;

-- name: Grouped :many
SELECT a.id, sqlc.nest(b) AS books FROM author a LEFT JOIN book b ON b.author_id = a.id
GROUP BY a.id, b.id;

-- name: United :many
SELECT a.id, sqlc.nest(b) AS books FROM author a LEFT JOIN book b ON b.author_id = a.id
UNION ALL
SELECT a.id, sqlc.nest(b) AS books FROM author a JOIN book b ON b.author_id = a.id;

-- name: Changed :many
UPDATE author a SET name = 'x' FROM book b WHERE b.author_id = a.id
RETURNING a.id, sqlc.nest(b) AS books;

-- name: NoParent :many
SELECT a.id, sqlc.nest(r) AS books.reviews
FROM author a JOIN review r ON r.author_id = a.id;

-- name: Twice :many
SELECT a.id, sqlc.nest(b) AS books, sqlc.nest(c) AS books
FROM author a JOIN book b ON b.author_id = a.id JOIN book c ON c.author_id = a.id;

-- name: Columns :many
SELECT a.id, sqlc.nest(b.id, b.title) AS books FROM author a JOIN book b ON b.author_id = a.id;

-- name: Expression :many
SELECT a.id, sqlc.nest(upper(b.title)) AS books FROM author a JOIN book b ON b.author_id = a.id;

-- name: Embedded :many
SELECT a.id, sqlc.nest(b) AS books, sqlc.embed(r) AS books.review
FROM author a JOIN book b ON b.author_id = a.id JOIN review r ON r.book_id = b.id;
