-- name: ListTasks :many
-- Tasks by any of the filters.
SELECT id, title
FROM task
WHERE status = @status -- :if status
  AND title ILIKE @pattern -- :if pattern
  AND NOT deleted -- :if hide_deleted
ORDER BY title, -- :sort title asc|desc, changed
  id
LIMIT @page_size;

-- name: PatchTask :one
UPDATE task SET
    title = @title, -- :set
    note = @note, -- :set
    changed = changed + 1
WHERE id = @id
RETURNING *;

-- name: CountTasks :one
SELECT count(*) FROM task
-- :if status
WHERE status = @status
-- :end
;
