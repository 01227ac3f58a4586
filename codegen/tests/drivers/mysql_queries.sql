-- name: AddAuthor :execlastid
INSERT INTO author (name, bio, mood, score) VALUES (sqlc.arg(name), sqlc.arg(bio), sqlc.arg(mood), sqlc.arg(score));

-- name: GetAuthor :one
SELECT * FROM author WHERE id = sqlc.arg(id);

-- name: CountAuthors :one
SELECT count(*) FROM author WHERE name LIKE '%a%' OR name = '50%' OR name = ':n';

-- name: NameOf :one
SELECT name FROM author WHERE id = sqlc.arg(id);

-- name: MoodOf :one
SELECT mood FROM author WHERE id = sqlc.arg(id);

-- name: ListAuthors :many
SELECT * FROM author ORDER BY id;

-- name: Names :many
SELECT name FROM author WHERE id IN (sqlc.slice(ids)) AND mood IN (sqlc.slice(moods)) ORDER BY name;

-- name: Search :many
SELECT id, name FROM author
WHERE true
  AND name LIKE sqlc.arg(pattern) -- :if pattern
  AND mood = sqlc.arg(mood) -- :if mood
ORDER BY id -- :sort id, name desc
LIMIT sqlc.arg(page_size);

-- name: Patch :execrows
UPDATE author SET
  bio = sqlc.arg(bio), -- :if bio
  score = sqlc.arg(score), -- :if score
  name = name
WHERE id = sqlc.arg(id);

-- name: Rename :execresult
UPDATE author SET name = sqlc.arg(name) WHERE id = sqlc.arg(id);

-- name: Forget :exec
DELETE FROM author WHERE id = sqlc.arg(id);

-- name: CopyBooks :copyfrom
INSERT INTO book (id, author_id, title, price, added) VALUES (?, ?, ?, ?, ?);

-- name: StreamBooks :stream
SELECT id, title, added FROM book WHERE author_id = sqlc.arg(author_id) ORDER BY id;

-- name: StreamTitles :stream
SELECT title FROM book ORDER BY id;

-- name: Retitle :batchexec
UPDATE book SET title = sqlc.arg(title) WHERE id = sqlc.arg(id);

-- name: TitleOf :batchone
SELECT title FROM book WHERE id = sqlc.arg(id);

-- name: BooksOf :batchmany
SELECT id, title FROM book WHERE author_id = sqlc.arg(author_id) ORDER BY id;

-- name: Joined :many
SELECT sqlc.embed(author), sqlc.embed(book)
FROM author LEFT JOIN book ON book.author_id = author.id ORDER BY author.id, book.id;

-- name: JoinedTo :many
SELECT sqlc.embed(author), sqlc.embed(book)
FROM author LEFT JOIN book ON book.author_id = author.id
WHERE true
  AND book.id = sqlc.arg(book_id) -- :if book_id
ORDER BY author.id;

-- name: Described :many
WITH named AS (SELECT id FROM author
  WHERE name = sqlc.arg(name) -- :if name
)
SELECT named.id, sqlc.embed(other)
FROM named LEFT JOIN (SELECT bio, id AS other_id FROM author
  WHERE bio = sqlc.arg(bio) -- :if bio
) AS other ON other.other_id = named.id
ORDER BY named.id;

-- name: Prices :many
SELECT id, price, added FROM book ORDER BY id;

-- name: Sleep :exec
SELECT sleep(0);

-- name: Days :many
SELECT day FROM born ORDER BY id;

-- name: Rescore :exec
UPDATE author SET score = sqlc.arg(score) WHERE id = sqlc.arg(id);

-- name: AddStray :exec
INSERT INTO `a``b.c'd` (id, `n'm`, parent, author_id)
VALUES (sqlc.arg(id), sqlc.arg(n), sqlc.arg(parent), sqlc.arg(author_id));

-- name: AddStrays :batchexec
INSERT INTO `a``b.c'd` (id, `n'm`) VALUES (sqlc.arg(id), sqlc.arg(n));

-- name: CopyStrays :copyfrom
INSERT INTO `a``b.c'd` (id, `n'm`) VALUES (?, ?);

-- name: ReplaceStray :exec
REPLACE INTO `a``b.c'd` (id, `n'm`) VALUES (sqlc.arg(id), sqlc.arg(n));

-- name: Join :exec
UPDATE `a``b.c'd` AS s JOIN author AS a ON a.id = s.author_id
SET a.name = sqlc.arg(name), s.`n'm` = sqlc.arg(n) WHERE s.id = sqlc.arg(id);

-- name: Note :exec
INSERT INTO noted (id, said) VALUES (sqlc.arg(id), sqlc.arg(said));

-- name: Log :exec
INSERT INTO logged (id, said) VALUES (sqlc.arg(id), sqlc.arg(said));

-- name: AmongPairs :many
SELECT id FROM author WHERE (mood, name) IN (sqlc.slice(pairs)) ORDER BY id;

-- name: NotAmongPairs :many
SELECT id FROM author WHERE (score, name) NOT IN (sqlc.slice(pairs)) ORDER BY id;

-- name: PerhapsAmongPairs :many
SELECT id FROM author
WHERE id > sqlc.arg(after)
  AND (mood, name) IN (sqlc.slice(pairs)) -- :if pairs
ORDER BY id;

-- name: NamedOrAll :many
SELECT id FROM author WHERE sqlc.narg(name) IS NULL OR name = sqlc.narg(name) ORDER BY id;

-- name: FindAny :many
SELECT id FROM author
WHERE id > 0
  AND (name = sqlc.arg(name) -- :if name
    OR mood = sqlc.arg(mood) -- :if mood
    OR score IS NULL) -- :if unscored
ORDER BY id;

-- name: PageAfter :many
SELECT id FROM author
WHERE id > 0
  AND (mood, id) > (sqlc.arg(mood), sqlc.arg(after)) -- :if mood, after
ORDER BY id;

-- name: BooksBy :many
CALL books_by(sqlc.arg(author), sqlc.arg(at_most));

-- name: ShowTables :many
SHOW TABLES;

-- name: ShowWarnings :many
SHOW WARNINGS;

-- name: ShowProcesses :many
SHOW FULL PROCESSLIST;

-- name: ShowAuthor :many
SHOW CREATE TABLE author;
