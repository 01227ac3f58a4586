-- name: ListTasks :many
SELECT * FROM task;
