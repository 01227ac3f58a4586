-- The privileges that the queries of point need; regenerate with: make grants
GRANT SELECT, INSERT (consumer, event_id), DELETE ON inbox TO point_service;
GRANT SELECT, INSERT (event_key, id, kind, lane, payload, request_id, topic, traceparent), DELETE ON outbox TO point_service;
GRANT SELECT (id), UPDATE (id) ON outbox_lane TO point_service;
GRANT SELECT (balance, user_id), INSERT (user_id), UPDATE (user_id) ON point_balance TO point_service;
GRANT SELECT, INSERT (amount, counterpart, id, reason, source, user_id) ON point_entry TO point_service;
