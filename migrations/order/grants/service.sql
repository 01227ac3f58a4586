-- The privileges that the queries of order need; regenerate with: make grants
GRANT EXECUTE ON FUNCTION goods_held(of_user uuid, of_products uuid[]) TO order_service;
GRANT EXECUTE ON FUNCTION goods_waiting(of_user uuid, most integer) TO order_service;
GRANT EXECUTE ON FUNCTION goods_waiting_value(of_user uuid, of_currency text) TO order_service;
GRANT EXECUTE ON FUNCTION great_circle_km(from_longitude double precision, from_latitude double precision, to_longitude double precision, to_latitude double precision) TO order_service;
GRANT SELECT, INSERT (admin_name, capital, country, id, iso2, latitude, longitude, name), UPDATE (admin_name, capital, country, iso2, latitude, longitude, name, updated_at, version), DELETE ON city TO order_service;
GRANT SELECT, INSERT (code, currency, id, symbol), UPDATE (code, currency, symbol, updated_at, version), DELETE ON currency TO order_service;
GRANT SELECT, INSERT (created_by, due_at, held, id, pending_validation, product_ids, quantities, request_key, user_id), UPDATE (abandoned, due_at, request_key), DELETE ON goods_draft TO order_service;
GRANT SELECT, INSERT (created_by, currency, due_at, id, pending_validation, request_key, reservation_id, total, updated_by, user_id), UPDATE (cancel_reason, deleted_at, due_at, pending_validation, settle_at, settled_at, status, stock, updated_at, updated_by, version) ON goods_order TO order_service;
GRANT SELECT, INSERT ON goods_order_line TO order_service;
GRANT SELECT (body, done, expires_at, fingerprint, headers, lease, leased_until, principal, request_key, route, status), INSERT (expires_at, fingerprint, lease, leased_until, principal, request_key, route), UPDATE (body, done, expires_at, fingerprint, headers, lease, leased_until, status), DELETE ON idempotency_key TO order_service;
GRANT SELECT, INSERT (consumer, event_id), DELETE ON inbox TO order_service;
GRANT SELECT, INSERT (book_time, currency, customer_id, id, offer_id, order_id, price, provider_id, service_id), UPDATE (status, updated_at, version), DELETE ON job TO order_service;
GRANT SELECT, INSERT (book_time, currency, currency_id, id, order_id, price, provider_id), UPDATE (book_time, currency, currency_id, price, status, updated_at, version), DELETE ON offer TO order_service;
GRANT SELECT, INSERT (event_key, id, kind, lane, payload, request_id, topic, traceparent), DELETE ON outbox TO order_service;
GRANT SELECT (id), UPDATE (id) ON outbox_lane TO order_service;
GRANT SELECT, INSERT (address, city_id, latitude, longitude, provider_id), UPDATE (address, city_id, latitude, longitude, updated_at, version), DELETE ON provider_location TO order_service;
GRANT SELECT, INSERT (comment, customer_id, id, job_id, provider_id, rating, side), UPDATE (comment, rating, updated_at, version), DELETE ON review TO order_service;
GRANT SELECT, INSERT (customer_id, description, id, latitude, longitude, request_key, service_id, time_end, time_start), UPDATE (description, latitude, longitude, request_key, service_id, status, time_end, time_start, updated_at, version), DELETE ON service_order TO order_service;
