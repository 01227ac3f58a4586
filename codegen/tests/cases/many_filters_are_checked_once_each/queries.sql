-- name: ListTickets :many
SELECT t.id, t.title, t.owner
FROM ticket AS t
WHERE t.tenant = @tenant -- :if tenant
  AND t.title = @title -- :if title
  AND t.title ILIKE @pattern -- :if pattern
  AND t.owner = @owner -- :if owner
  AND t.owner IS NULL -- :if unowned
  AND t.state = @state -- :if state
  AND t.state IN (sqlc.slice(states)) -- :if states
  AND t.priority BETWEEN @least AND @most -- :if least, most
  AND (t.priority > @above OR t.closed) -- :if above
  AND NOT t.closed -- :if unfinished
  AND EXISTS (SELECT 1 FROM label AS l WHERE l.ticket_id = t.id AND l.name = @label) -- :if label
  -- :if after
  AND t.id > @after
  -- :end
  AND t.id < @before -- :if before
  AND t.id <> @other -- :if other
ORDER BY t.id -- :sort t.id, t.title desc
LIMIT @size;

-- name: CountTickets :one
SELECT count(*), max(t.priority) AS highest, min(t.id) AS first
FROM ticket AS t
WHERE t.tenant = @tenant
  AND t.title = @title -- :if title
  AND t.owner = @owner -- :if owner
  AND t.state = @state -- :if state
  AND t.priority = @priority -- :if priority
  AND t.closed = @closed -- :if closed
  AND t.id > @after -- :if after
  AND t.id < @before -- :if before
  AND t.id <> @other -- :if other
  AND t.priority IS NOT NULL; -- :if weighed
