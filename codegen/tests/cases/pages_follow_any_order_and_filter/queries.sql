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

-- name: WalkOwners :page
SELECT t.id FROM ticket AS t
ORDER BY t.owner NULLS LAST, -- :sort t.owner asc nulls last|desc nulls last
  t.id;

-- name: WalkShown :page
SELECT shown.title, shown.key FROM ticket AS t
CROSS JOIN LATERAL (SELECT upper(t.title) AS title, t.id AS key) AS shown
ORDER BY shown.title DESC, shown.key;

-- name: WalkStates :page
SELECT t.id FROM ticket AS t
WHERE t.title = @title -- :if title
ORDER BY t.state, -- :sort t.state desc|asc
  t.id;
