-- name: Types :arrow
SELECT * FROM item;

-- name: Sum :arrow
SELECT sum(id::bigint) AS total FROM item;

-- name: Twice :arrow
SELECT id, id FROM item;

-- name: Embedded :arrow
SELECT sqlc.embed(item) FROM item;

-- name: Nested :arrow
SELECT a.id, sqlc.nest(b) FROM item AS a LEFT JOIN item AS b ON b.id = a.id;

-- name: Writes :arrow
DELETE FROM item RETURNING id;

-- name: Nothing :arrow
SELECT FROM item;

-- name: Bulk :arrow :bulk
INSERT INTO item (id) VALUES (@id) RETURNING id;

-- name: ByKey :arrow :batchget
SELECT id FROM item WHERE id = @id;
