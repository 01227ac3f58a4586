-- name: MayBeMissing :many
SELECT sqlc.embed(author) FROM author
UNION SELECT sqlc.embed(author) FROM writer LEFT JOIN author USING (id);

-- name: TwoTables :many
SELECT sqlc.embed(author) FROM author UNION SELECT sqlc.embed(writer) FROM writer;

-- name: OnePart :many
SELECT sqlc.embed(author) FROM author UNION SELECT id, name, note FROM author;

-- name: Within :many
SELECT sqlc.embed(author) FROM author
UNION SELECT author.* FROM (SELECT sqlc.embed(author) FROM author) AS author;

-- name: Totals :many
SELECT sqlc.embed(author) FROM author GROUP BY ROLLUP (author.id, author.name, author.note)
UNION ALL SELECT sqlc.embed(author) FROM author;

-- name: Optional :many
SELECT sqlc.embed(author) FROM author
UNION ALL -- :if more
SELECT sqlc.embed(author) FROM writer LEFT JOIN author USING (id); -- :if more

-- name: OnlyInThePart :many
SELECT author.* FROM author
UNION ALL -- :if more
SELECT sqlc.embed(author) FROM author; -- :if more

-- name: Composite :many
SELECT id, sqlc.embed(home) FROM house;
