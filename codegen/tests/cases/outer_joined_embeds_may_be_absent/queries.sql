-- name: ListBooks :many
SELECT sqlc.embed(book), sqlc.embed(author)
FROM book LEFT JOIN author ON author.id = book.author_id
ORDER BY book.id;

-- name: ListAuthoredBooks :many
SELECT book.title, sqlc.embed(author), length(book.title) AS length
FROM book JOIN author ON author.id = book.author_id
ORDER BY book.id;

-- name: ListRemarks :many
SELECT author.id, sqlc.embed(remark)
FROM author LEFT JOIN remark ON remark.author_id = author.id
ORDER BY author.id;
