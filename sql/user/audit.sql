-- name: AddAuditEntry :exec
INSERT INTO audit_entry (id, actor, action, resource_type, resource_id, request_id, address, details)
VALUES (@id, @actor, @action, @resource_type, @resource_id, @request_id, @address, @details);
