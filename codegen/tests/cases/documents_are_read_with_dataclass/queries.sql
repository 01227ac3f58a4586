-- name: AddAuthor :one
INSERT INTO author (name, mood) VALUES ($1, $2) RETURNING id;

-- name: AddBook :exec
INSERT INTO book (author_id, title, price, rating, published, cover) VALUES ($1, $2, $3, $4, $5, $6);

-- name: GetAuthor :one
-- Books are a list of objects of their own class, never None.
SELECT
    author.name,
    (
        SELECT coalesce(
            json_agg(json_build_object('title', title, 'price', price, 'rating', rating) ORDER BY id), '[]'
        )
        FROM book
        WHERE author_id = author.id
    ) AS books
FROM author
WHERE id = $1;

-- name: ListShelves :many
-- An author without a book has an empty list: FILTER leaves the row without partner out.
SELECT author.id, coalesce(json_agg(book) FILTER (WHERE book.id IS NOT NULL), '[]') AS books
FROM author
LEFT JOIN book ON book.author_id = author.id
GROUP BY author.id
ORDER BY author.id;

-- name: ListCards :many
-- Objects in objects, a pair, an enum, and a document that nobody decides on.
SELECT jsonb_build_object(
    'author', jsonb_build_object('id', id, 'mood', mood),
    'pair', jsonb_build_array(id, name),
    'preferences', preferences
)
FROM author
ORDER BY id;

-- name: GetTitles :one
SELECT json_agg(title ORDER BY title) AS titles FROM book WHERE author_id = $1;

-- name: GetTagged :one
-- A key that is no attribute: the object stays a dictionary.
SELECT json_build_object('author-id', author_id, 'title', title) AS tagged FROM book WHERE id = $1;

-- name: GetOwn :one
-- column: card dict[str, int]
-- A type that the query names stands before the derived one.
SELECT json_build_object('id', id) AS card FROM author WHERE id = $1;

-- name: GetSparse :one
-- A member that may be missing has a default.
SELECT JSON_OBJECT('mood': mood, 'name': name ABSENT ON NULL) AS sparse FROM author WHERE id = $1;

-- name: GetPrices :one
-- Keys that the data determines: a dictionary.
SELECT coalesce(json_object_agg(title, price), '{}'::json) AS prices, json_object_agg(title, price) AS map
FROM book
WHERE author_id = $1;

-- name: ListPriced :many
-- A field is certain only if it is in every text of the query.
SELECT json_build_object('title', title, 'price', price) AS book
FROM book
WHERE author_id = @author_id
    AND price > @more_than -- :if more_than
ORDER BY id;
