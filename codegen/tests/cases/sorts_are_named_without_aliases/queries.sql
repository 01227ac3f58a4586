-- name: ListTasks :many
SELECT t.id FROM task AS t
WHERE t.title = @title -- :if title
ORDER BY t.title, -- :sort t.title asc|desc, t.due desc nulls last
  t.id;

-- name: SortByEither :many
SELECT t.id FROM task AS t JOIN task AS o ON o.id = t.id
ORDER BY t.title, -- :sort t.title, o.title
  t.id;
