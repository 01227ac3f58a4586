-- name: BooksOfTags :many
SELECT title FROM book WHERE tags && @tags ORDER BY id;

-- name: BooksOfTitles :many
SELECT id FROM book WHERE title IN (sqlc.slice(titles)) ORDER BY id;

-- name: SetTags :execrows
UPDATE book SET tags = @tags WHERE id = ANY (@ids::int[]);

-- name: AddTitles :execrows :bulk
INSERT INTO book (title) VALUES (@title);

-- name: SearchBooks :many
SELECT title FROM book
WHERE title = ANY (@titles) -- :if titles
ORDER BY id;
