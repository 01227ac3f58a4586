-- name: AddAuditEntry :exec
INSERT INTO audit_entry (id, actor, action, resource_type, resource_id, request_id, address, details)
VALUES (@id, @actor, @action, @resource_type, @resource_id, @request_id, @address, @details);

-- name: GetAuditEntry :one
SELECT id, at, actor, action, resource_type, resource_id, request_id, address, details FROM audit_entry
WHERE id = @id;

-- fragment: listed_audit()
-- The columns of a list, and the entries that match its filters. `search` is a LIKE pattern.
id, at, actor, action, resource_type, resource_id, request_id, address, details FROM audit_entry
WHERE true
    AND actor = @actor -- :if actor
    AND action = @action -- :if action
    AND resource_type = @resource_type -- :if resource_type
    AND resource_id = @resource_id -- :if resource_id
    AND (actor ILIKE @search OR action ILIKE @search OR resource_id ILIKE @search) -- :if search
    AND at >= @since -- :if since
    AND at < @until -- :if until
;

-- name: ListAudit :page
-- ignore: V030 administrators rarely combine filters, and a further index would slow down every audited action
-- One page, newest first: ids are ordered by time.
SELECT sqlc.include(listed_audit)
ORDER BY id DESC
LIMIT @page_size OFFSET @skip;

-- name: WalkAudit :page
-- ignore: V030 administrators rarely combine filters, and a further index would slow down every audited action
-- The same entries, from a cursor on.
SELECT sqlc.include(listed_audit)
ORDER BY id DESC;

-- name: ForgetAudit :one
-- Some of the oldest that have been kept for long enough; the schema refuses any younger than 90 days.
-- column: forgotten int!
SELECT forget_audit(@keep_days, @batch_size) AS forgotten;

-- name: EraseAddresses :one
-- From where something was done, where that was long enough ago; the schema refuses it within 30 days.
-- column: erased int!
SELECT forget_addresses(@keep_days, @batch_size) AS erased;
