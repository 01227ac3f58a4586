-- name: AddAuthor :one
INSERT INTO author (name, bio, mood, score) VALUES (@name, @bio, @mood, @score) RETURNING *;

-- name: GetAuthor :one
-- An author, where there is one.
SELECT * FROM author WHERE id = @id;

-- name: CountAuthors :one
SELECT count(*) FROM author;

-- name: NameOf :one
SELECT name FROM author WHERE id = @id;

-- name: MoodOf :one
SELECT mood FROM author WHERE id = @id;

-- name: ListAuthors :many
SELECT * FROM author ORDER BY id;

-- name: Names :many
SELECT name FROM author WHERE id = ANY(@ids::bigint[]) AND mood = ANY(@moods::mood[]) ORDER BY name;

-- name: Search :many
SELECT id, name FROM author
WHERE true
  AND name ILIKE @pattern -- :if pattern
  AND mood = @mood -- :if mood
ORDER BY id -- :sort id, name desc
LIMIT @page_size;

-- name: Patch :execrows
UPDATE author SET
    bio = @bio, -- :if bio
    score = @score, -- :if score
    name = name
WHERE id = @id;

-- name: Rename :execresult
UPDATE author SET name = @name WHERE id = @id;

-- name: Forget :exec
DELETE FROM author WHERE id = @id;

-- name: AddBook :exec
INSERT INTO book (id, author_id, title, price, moods) VALUES (@id, @author_id, @title, @price, @moods);

-- name: CopyBooks :copyfrom
INSERT INTO book (id, author_id, title, price, added) VALUES (@id, @author_id, @title, @price, @added);

-- name: CopyMoods :copyfrom
INSERT INTO book (id, author_id, title, moods) VALUES (@id, @author_id, @title, @moods);

-- name: AddBooks :many :bulk
INSERT INTO book (id, author_id, title) VALUES (@id, @author_id, @title) RETURNING id;

-- name: StreamBooks :stream
SELECT id, title, added FROM book WHERE author_id = @author_id ORDER BY id;

-- name: StreamTitles :stream
SELECT title FROM book ORDER BY id;

-- name: Retitle :batchexec
UPDATE book SET title = @title WHERE id = @id;

-- name: InsertBooks :batchexec
INSERT INTO book (id, author_id, title) VALUES (@id, @author_id, @title);

-- name: TitleOf :batchone
SELECT title FROM book WHERE id = @id;

-- name: BookOf :batchone
SELECT id, title FROM book WHERE id = @id;

-- name: BooksOf :batchmany
SELECT id, moods FROM book WHERE author_id = @author_id ORDER BY id;

-- name: Bumped :batchone
INSERT INTO book (id, author_id, title) VALUES (@id, @author_id, 'new') RETURNING id, title;

-- name: Joined :many
SELECT sqlc.embed(author), sqlc.embed(book)
FROM author LEFT JOIN book ON book.author_id = author.id ORDER BY author.id, book.id;

-- name: AddShape :one
INSERT INTO shape (id, at, span, points, scores) VALUES (@id, @at, @span, @points, @scores) RETURNING *;

-- name: Prices :many
SELECT id, price, added, moods FROM book ORDER BY id;

-- name: Sleep :exec
SELECT pg_sleep(0);

-- name: Backend :one
SELECT pg_backend_pid();

-- name: Moments :one
SELECT @at::timestamptz AS at, @many::timestamptz[] AS many, @plain::timestamp AS plain;

-- name: AmongPairs :many
SELECT id FROM author WHERE (mood, name) IN (sqlc.slice(pairs)) ORDER BY id;

-- name: NotAmongPairs :many
SELECT id FROM author WHERE (score, name) NOT IN (sqlc.slice(pairs)) ORDER BY id;

-- name: PerhapsAmongPairs :many
SELECT id FROM author
WHERE id > @after
  AND (mood, name) IN (sqlc.slice(pairs)) -- :if pairs
ORDER BY id;

-- name: NamedOrAll :many
SELECT id FROM author WHERE sqlc.narg(name) IS NULL OR name = sqlc.narg(name) ORDER BY id;

-- name: AddMany :many
INSERT INTO author (name, bio) SELECT u.name, u.bio FROM unnest(@names::text[], @bios::text[]) AS u (name, bio)
RETURNING bio;

-- name: SetScores :one
UPDATE shape SET scores = @scores WHERE id = @id RETURNING scores;

-- name: ShelvesOfAll :many
SELECT a.name, ARRAY(SELECT b FROM book AS b WHERE b.author_id = a.id ORDER BY b.id) AS shelf FROM author AS a ORDER BY a.id;

-- name: FindAny :many
SELECT id FROM author
WHERE id > 0
  AND (name = @name -- :if name
    OR mood = @mood -- :if mood
    OR score IS NULL) -- :if unscored
ORDER BY id;

-- name: PageAfter :many
SELECT id FROM author
WHERE id > 0
  AND (mood, id) > (@mood, @after) -- :if mood, after
ORDER BY id;

-- name: CallRelabel :one
CALL relabel(@id, @name, NULL, NULL);
