-- The privileges that the queries of product need; regenerate with: make grants
GRANT SELECT, INSERT (consumer, event_id), DELETE ON inbox TO product_service;
GRANT SELECT, INSERT (event_key, id, kind, lane, payload, request_id, topic, traceparent), DELETE ON outbox TO product_service;
GRANT SELECT (id), UPDATE (id) ON outbox_lane TO product_service;
GRANT SELECT, INSERT (changed_by, currency, id, price, product_id) ON price_change TO product_service;
GRANT SELECT, INSERT (currency, description, id, name, price, status, stock), UPDATE (description, name, price, status, stock, updated_at, version) ON product TO product_service;
GRANT SELECT, INSERT (created_at, expires_at, id, owner, request_key, updated_at), UPDATE (status, updated_at) ON reservation TO product_service;
GRANT SELECT, INSERT ON reservation_line TO product_service;
GRANT SELECT, INSERT (actor, delta, id, product_id, product_version, reason, reservation_id, stock_after) ON stock_movement TO product_service;
