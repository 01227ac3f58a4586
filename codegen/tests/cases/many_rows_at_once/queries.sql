-- name: CopyItems :copyfrom
INSERT INTO item (id, name, kind, tags) VALUES ($1, $2, $3, $4);

-- name: CopyIds :copyfrom
INSERT INTO item (name) VALUES (@name);

-- name: RenameAll :batchexec
UPDATE item SET name = @name WHERE id = @id;

-- name: FindAll :batchone
SELECT * FROM item WHERE id = @id;

-- name: FindNames :batchone
SELECT name FROM item WHERE id = @id;

-- name: ListByKind :batchmany
SELECT id, name FROM item WHERE kind = @kind ORDER BY id;

-- name: StreamItems :stream
-- Needs a transaction around it.
SELECT id, name FROM item WHERE id >= @least ORDER BY id;

-- name: StreamNames :stream
SELECT name FROM item ORDER BY id;

-- name: Rename :execresult
UPDATE item SET name = @name;
