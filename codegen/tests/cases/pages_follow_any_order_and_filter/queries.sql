-- name: WalkTickets :page
SELECT t.id, t.title, t.owner
FROM ticket AS t
WHERE t.tenant = @tenant
  AND t.title = @title -- :if title
  AND t.owner = @owner -- :if owner
  AND t.owner IS NULL -- :if unowned
  AND t.state = @state -- :if state
  AND t.priority <= @most -- :if most
  AND t.closed = @closed -- :if closed
  AND t.id <> @other -- :if other
ORDER BY t.title, -- :sort t.title asc|desc, t.tenant
  t.id;

-- name: WalkStates :page
SELECT t.id FROM ticket AS t
WHERE t.title = @title -- :if title
ORDER BY t.state, -- :sort t.state desc|asc
  t.id;
