-- name: ListTotals :many
SELECT sqlc.embed(author), sum(book.price) AS total
FROM author JOIN book ON book.author_id = author.id
GROUP BY ROLLUP ((author.id, author.name, author.bio))
ORDER BY author.id;

-- name: ListReport :many
SELECT sqlc.embed(author), book.genre, count(*) AS books
FROM author JOIN book ON book.author_id = author.id
WHERE book.price >= @least -- :if least
GROUP BY GROUPING SETS ((author.id, author.name, author.bio), (book.genre), ())
ORDER BY author.id, book.genre;

-- name: ListGenres :many
SELECT sqlc.embed(author), book.genre, count(*) AS books
FROM author JOIN book ON book.author_id = author.id
GROUP BY author.id, ROLLUP (book.genre)
ORDER BY author.id, book.genre;
