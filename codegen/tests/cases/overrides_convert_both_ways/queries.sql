-- name: ListTags :many
SELECT tag FROM post;

-- name: FindByTag :many
SELECT id FROM post WHERE tag = @tag;

-- name: RenameTag :exec
UPDATE post SET tag = @new WHERE tag = @old;

-- name: ListPrices :many
SELECT price FROM post WHERE price > @least;

-- name: ListLabels :many
SELECT tags FROM post;

-- name: SetLabels :exec
UPDATE post SET tags = @tags WHERE id = @id;
