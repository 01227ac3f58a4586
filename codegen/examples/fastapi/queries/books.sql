-- Books on sale.

-- name: AddBook :one
INSERT INTO book (title, author, price, note) VALUES (@title, @author, @price, @note) RETURNING *;

-- name: GetBook :one
SELECT * FROM book WHERE id = @id;

-- name: SearchBooks :many
SELECT * FROM book
WHERE author = @author -- :if author
  AND price <= @at_most -- :if at_most
ORDER BY title, -- :sort title, price asc|desc
  id
LIMIT @page_size;

-- name: PatchBook :one
UPDATE book SET
    title = @title, -- :set
    author = @author, -- :set
    price = @price, -- :set
    note = @note, -- :set
    changes = changes + 1
WHERE id = @id
RETURNING *;
