-- name: Found :many
SELECT id FROM task
WHERE (
    title = @title -- :if title
    OR status = @status -- :if status
)
ORDER BY id;

-- name: FoundBeside :many
SELECT id FROM task
WHERE rank > @rank
  AND (title = @title -- :if title
    OR status = @status -- :if status
    OR owner IS NULL) -- :if unowned
ORDER BY id;

-- name: Trailing :many
SELECT id FROM task
WHERE NOT (
    title = @title OR -- :if title
    status = @status -- :if status
)
  AND rank > 0
ORDER BY id;

-- name: Nested :many
SELECT id FROM task
WHERE (
    (
        title = @title -- :if title
        AND rank = @rank -- :if rank
    )
    OR (
        status = @status -- :if status
    )
)
  AND id > 0
ORDER BY id;

-- name: Joined :many
SELECT a.id FROM task a
JOIN task b ON (
    b.owner = a.id -- :if owned
)
ORDER BY a.id, b.id;

-- name: Page :many
SELECT id FROM task
WHERE true
  AND (rank, id) > (@rank, @after) -- :if rank, after
  AND rank BETWEEN @low AND @high -- :if low, high, bounded
ORDER BY rank, id;
