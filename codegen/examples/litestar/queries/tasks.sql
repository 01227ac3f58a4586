-- Things to do.

-- name: AddTask :one
INSERT INTO task (title, due) VALUES (@title, @due) RETURNING *;

-- name: ListTasks :many
SELECT * FROM task
WHERE state = @state -- :if state
ORDER BY due NULLS LAST, id;

-- name: PatchTask :one
UPDATE task SET
    title = @title, -- :set
    state = @state, -- :set
    due = @due, -- :set
    changes = changes + 1
WHERE id = @id
RETURNING *;

-- name: CountTasks :many
SELECT state, count(*) AS tasks FROM task GROUP BY state ORDER BY state;
