-- The privileges that the queries of department need; regenerate with: make grants
GRANT SELECT, INSERT (address, id, name), UPDATE (address, name, updated_at, version), DELETE ON department TO department_service;
GRANT SELECT, INSERT (consumer, event_id), DELETE ON inbox TO department_service;
GRANT SELECT, INSERT (event_key, id, kind, lane, payload, request_id, topic, traceparent), DELETE ON outbox TO department_service;
GRANT SELECT (id), UPDATE (id) ON outbox_lane TO department_service;
