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

-- name: TasksAfter :many
SELECT id, title FROM task
WHERE (changed, id) > (@changed, @after) -- :if after
ORDER BY changed, id;

-- name: TasksBetween :many
SELECT id FROM task
WHERE id BETWEEN @low AND @high -- :if low, high
  AND id > @low -- :if low
ORDER BY id;

-- name: TasksOf :many
SELECT id FROM task
WHERE status = @status; -- :if status

-- name: EveryTask :many
SELECT id FROM task ORDER BY id;
