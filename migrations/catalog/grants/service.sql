-- The privileges that the queries of catalog need; regenerate with: make grants
GRANT SELECT, INSERT (id, name, type_id), UPDATE (name, type_id, updated_at, version), DELETE ON category TO catalog_service;
GRANT SELECT, INSERT (id, name), UPDATE (name, updated_at, version), DELETE ON category_type TO catalog_service;
GRANT SELECT, INSERT (consumer, event_id), DELETE ON inbox TO catalog_service;
GRANT SELECT, INSERT (event_key, id, kind, lane, payload, request_id, topic, traceparent), DELETE ON outbox TO catalog_service;
GRANT SELECT (id), UPDATE (id) ON outbox_lane TO catalog_service;
GRANT SELECT, INSERT (provider_id, service_id), DELETE ON provider_service TO catalog_service;
GRANT SELECT, INSERT (description, id, name, subcategory_id), UPDATE (description, name, subcategory_id, updated_at, version), DELETE ON service TO catalog_service;
GRANT SELECT, INSERT (category_id, id, name), UPDATE (category_id, name, updated_at, version), DELETE ON subcategory TO catalog_service;
