-- name: NoKey :many
SELECT a.name, sqlc.nest(b) AS books FROM author a LEFT JOIN book b ON b.author_id = a.id;

-- name: NullableKey :many
SELECT a.mail, sqlc.nest(b) AS books FROM author a LEFT JOIN book b ON b.author_id = a.id;

-- name: OnlyLists :many
SELECT sqlc.nest(b) AS books FROM author a LEFT JOIN book b ON b.author_id = a.id;

-- name: Listed :many
SELECT b.id, sqlc.nest(t) AS tags FROM book b LEFT JOIN tag t ON t.book_id = b.id;

-- name: Priced :many
SELECT b.id, sqlc.nest(p) AS prices FROM book b LEFT JOIN price p ON p.book_id = b.id;

-- name: Second :many
SELECT a.id, t.word, sqlc.nest(b) AS books
FROM author a JOIN book b ON b.author_id = a.id JOIN tag t ON t.book_id = b.id;

-- name: OfOtherRow :many
SELECT a.id, upper(b.title) AS loud, sqlc.nest(b) AS books
FROM author a JOIN book b ON b.author_id = a.id;

-- name: Volatile :many
SELECT a.id, random() AS chance, sqlc.nest(b) AS books
FROM author a JOIN book b ON b.author_id = a.id;

-- name: Counted :many
SELECT a.id, count(*) OVER () AS rows, sqlc.nest(b) AS books
FROM author a JOIN book b ON b.author_id = a.id;

-- name: Homeless :many
SELECT a.id, sqlc.nest(b) AS books, sqlc.nest(r) AS books.reviews
FROM author a LEFT JOIN book b ON b.author_id = a.id LEFT JOIN review r ON r.author_id = a.id;

-- name: Full :many
SELECT a.id, sqlc.nest(b) AS books FROM author a FULL JOIN book b ON b.author_id = a.id;

-- name: Inside :many
SELECT q.id, sqlc.nest(b) AS books
FROM (SELECT a.id, sqlc.nest(r) FROM author a JOIN review r ON r.author_id = a.id) AS q (id, r, s, t)
JOIN book b ON b.author_id = q.id;

-- name: Apart :stream
SELECT a.id, sqlc.nest(b) AS books FROM author a JOIN book b ON b.author_id = a.id
ORDER BY b.title, a.id;

-- name: Unordered :stream
SELECT a.id, sqlc.nest(b) AS books FROM author a JOIN book b ON b.author_id = a.id
ORDER BY a.name;

-- name: Several :one
SELECT a.id, sqlc.nest(b) AS books FROM author a JOIN book b ON b.author_id = a.id
WHERE b.id = @id OR a.id = @id;

-- name: SortedByNull :stream
SELECT a.id, a.mail, sqlc.nest(b) AS books FROM author a JOIN book b ON b.author_id = a.id
ORDER BY a.mail, b.title;

-- name: Calculated :many
SELECT a.id, b.id + 1 AS next, sqlc.nest(b) AS books
FROM author a LEFT JOIN book b ON b.author_id = a.id;

-- name: CalculatedBelow :many
SELECT b.id, sqlc.nest(r) AS reviews FROM book b
JOIN (SELECT review.id + 1 AS next, review.book_id FROM review) AS r ON r.book_id = b.id;
