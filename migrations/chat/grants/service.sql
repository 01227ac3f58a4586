-- The privileges that the queries of chat need; regenerate with: make grants
GRANT EXECUTE ON FUNCTION add_message_partitions(months_ahead integer) TO chat_service;
GRANT EXECUTE ON FUNCTION drop_message_partitions(older_than timestamp with time zone) TO chat_service;
GRANT SELECT, INSERT (customer_id, id, kind, provider_id, subject_id), UPDATE (ended_at, last_message_at, last_message_id, last_sequence) ON channel TO chat_service;
GRANT SELECT, INSERT, UPDATE (departed_at), DELETE ON departed TO chat_service;
GRANT SELECT, INSERT, DELETE ON ended_session TO chat_service;
GRANT SELECT, INSERT (consumer, event_id), DELETE ON inbox TO chat_service;
GRANT SELECT, INSERT (channel_id, user_id), UPDATE (blocked, read_sequence) ON member TO chat_service;
GRANT SELECT, INSERT (author_id, channel_id, client_id, id, sequence, text), UPDATE (client_id, text) ON message TO chat_service;
GRANT SELECT, INSERT (event_key, id, kind, lane, payload, request_id, topic, traceparent), DELETE ON outbox TO chat_service;
GRANT SELECT (id), UPDATE (id) ON outbox_lane TO chat_service;
GRANT SELECT, INSERT (author_id, channel_id, client_id, message_id), DELETE ON sent TO chat_service;
