-- name: NullableColumn :many
-- column: bio !
SELECT id, bio FROM author;

-- name: OuterJoin :many
-- column: title str!
SELECT author.name, book.title FROM author LEFT JOIN book ON book.author_id = author.id;

-- name: EmptyAggregate :one
-- column: dearest !
SELECT max(price) AS dearest FROM book WHERE price IS NOT NULL;

-- name: ScalarSubquery :many
-- column: first_title !
SELECT id, (SELECT title FROM book WHERE author_id = author.id ORDER BY id LIMIT 1) AS first_title
FROM author;

-- name: Argument :many
-- column: born !
SELECT born FROM author WHERE id = @id AND (@name::text = name OR name <> '');

-- name: Returned :one
-- column: bio !
-- column: born !
INSERT INTO author (id, name, bio, prefs) VALUES (@id, @name, @bio, @prefs) RETURNING bio, born;

-- name: Dynamic :many
-- column: price !
SELECT price FROM book
WHERE true
    AND price > @least -- :if least
ORDER BY id;

-- name: ForeignKeyHolds :many
-- column: name !
SELECT book.id, author.name FROM book LEFT JOIN author ON author.id = book.author_id;

-- name: CheckHolds :many
-- column: prefs !
SELECT id, prefs FROM author;

-- name: PublishedBooksHaveAPrice :many
-- column: price !
SELECT id, price FROM book WHERE status = 'published';

-- name: Proved :many
-- column: name !
SELECT name FROM author;
