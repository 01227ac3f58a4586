-- Customers who ask to become providers.

-- name: AskToProvide :one
-- No row where the account's request waits already.
INSERT INTO provider_request (account_id) VALUES (@account_id)
ON CONFLICT (account_id) DO UPDATE SET
    status = 'pending', reason = NULL, decided_by = NULL, decided_at = NULL, created_at = now()
WHERE provider_request.status = 'declined'
RETURNING *;

-- name: GetRequest :one
SELECT * FROM provider_request WHERE account_id = @account_id;

-- fragment: listed_requests(r, a)
r.account_id, r.created_at, a.name, a.email, a.verified, a.version
;

-- fragment: waiting_requests(r, a)
r.status = 'pending' AND a.status = 'active'
;

-- name: ListRequests :page
-- Those that wait, the longest first.
SELECT sqlc.include(listed_requests, r, a)
FROM provider_request AS r JOIN account AS a ON a.id = r.account_id
WHERE sqlc.include(waiting_requests, r, a)
ORDER BY r.created_at, r.account_id
LIMIT @page_size OFFSET @skip;

-- name: WalkRequests :page
-- The same requests, from a cursor on.
SELECT sqlc.include(listed_requests, r, a)
FROM provider_request AS r JOIN account AS a ON a.id = r.account_id
WHERE sqlc.include(waiting_requests, r, a)
ORDER BY r.created_at, r.account_id;

-- name: Decide :execrows
-- No row where it does not wait.
UPDATE provider_request
SET status = @status, reason = sqlc.narg(reason), decided_by = @decided_by::text, decided_at = now()
WHERE account_id = @account_id AND status = 'pending';

-- name: EraseRequest :execrows
-- Of an account that is gone, with what it was told.
DELETE FROM provider_request WHERE account_id = @account_id;
