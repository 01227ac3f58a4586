-- name: Pairs :many
-- Without the condition the outer join leaves books out.
SELECT sqlc.embed(author), sqlc.embed(book)
FROM author LEFT JOIN book ON book.author_id = author.id
WHERE true
  AND book.id = @book_id -- :if book_id
ORDER BY author.id;

-- name: Noted :many
-- Without the condition a note may be NULL where its row is there.
SELECT author.id, sqlc.embed(other)
FROM author LEFT JOIN (SELECT note, id AS other_id FROM author) AS other
  ON other.other_id = author.id
  AND other.note = @note -- :if note
ORDER BY author.id;

-- name: Both :many
SELECT sqlc.embed(author), 1 AS part FROM author WHERE author.id = @first
UNION ALL
(SELECT sqlc.embed(author), 2 FROM author
 WHERE true
   AND author.id = @last -- :if last
)
ORDER BY part, id;

-- name: Three :many
SELECT sqlc.embed(author), sqlc.embed(book)
FROM author JOIN book ON book.author_id = author.id
UNION
(SELECT sqlc.embed(a), sqlc.embed(book) FROM book JOIN author AS a ON a.id = book.id
 EXCEPT SELECT sqlc.embed(author), sqlc.embed(book) FROM author, book);

-- name: More :many
SELECT sqlc.embed(author), 1 AS part FROM author
UNION ALL -- :if more
SELECT sqlc.embed(a), 2 FROM author AS a WHERE a.note IS NOT NULL -- :if more
ORDER BY part, id;
