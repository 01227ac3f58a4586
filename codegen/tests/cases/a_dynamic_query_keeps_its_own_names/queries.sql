-- name: ListItems :many
SELECT id FROM item
WHERE true
    AND db = @db  -- :if db
ORDER BY id;
