-- name: AddBox :exec
INSERT INTO boxes (id, size, extent, label) VALUES (@id, @size, @extent, @label);

-- name: AddThing :exec
INSERT INTO things (id, box_id, name, weight) VALUES (@id, @box_id, @name, @weight);

-- name: ListFilled :many
SELECT boxes.id, array_agg(things ORDER BY things.id) AS things
FROM boxes
JOIN things ON things.box_id = boxes.id
GROUP BY boxes.id
ORDER BY boxes.id;

-- name: ListLeftJoined :many
SELECT boxes.id, array_agg(things ORDER BY things.id) AS things
FROM boxes
LEFT JOIN things ON things.box_id = boxes.id
GROUP BY boxes.id
ORDER BY boxes.id;

-- name: ListFiltered :many
SELECT
    boxes.id,
    array_agg(things ORDER BY things.id DESC) FILTER (WHERE things.id IS NOT NULL) AS things,
    coalesce(array_agg(DISTINCT things) FILTER (WHERE things.weight > 1), '{}') AS heavy
FROM boxes
LEFT JOIN things ON things.box_id = boxes.id
GROUP BY boxes.id
ORDER BY boxes.id;

-- name: ListOfWith :many
WITH collected AS (
    SELECT box_id, array_agg(things ORDER BY id) AS things FROM things GROUP BY box_id
)
SELECT boxes.id, collected.things
FROM boxes
LEFT JOIN collected ON collected.box_id = boxes.id
ORDER BY boxes.id;

-- name: ListOfSubSelect :many
SELECT boxes.id, ARRAY(SELECT things FROM things WHERE box_id = boxes.id ORDER BY id) AS things
FROM boxes
ORDER BY boxes.id;

-- name: GetBoxes :one
SELECT array_agg(boxes ORDER BY id) AS boxes FROM boxes;

-- name: GetSizes :one
SELECT
    array_agg(extent ORDER BY id) AS extents,
    array_agg(size ORDER BY id) AS sizes,
    array_agg(size ORDER BY id) FILTER (WHERE id = 1 AND size IS NOT NULL) AS known,
    array_agg(ROW(id, id + 1)::size ORDER BY id) AS made
FROM boxes;

-- name: GetPairs :one
SELECT
    array_agg(pair ORDER BY pair.id) AS pairs,
    array_agg(ROW(pair.name, pair.weight) ORDER BY pair.id)
        FILTER (WHERE pair.weight IS NOT NULL) AS named
FROM (SELECT id, name, weight FROM things) pair;

-- name: ListSizes :many
SELECT size, extent FROM boxes ORDER BY id;

-- name: ListEmbedded :many
SELECT things.id, sqlc.embed(boxes) FROM things JOIN boxes ON boxes.id = things.box_id ORDER BY things.id;
