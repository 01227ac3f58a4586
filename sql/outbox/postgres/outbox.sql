-- Events on their way out: written with the change they tell of, published afterwards, then removed.

-- name: AddEvent :exec
-- One event alone costs less without the arrays of many.
INSERT INTO outbox (id, lane, topic, event_key, kind, payload, request_id, traceparent)
VALUES (@id, @lane, @topic, @event_key, @kind, @payload, @request_id, @traceparent);

-- name: AddEvents :exec :bulk
INSERT INTO outbox (id, lane, topic, event_key, kind, payload, request_id, traceparent)
VALUES (@id, @lane, @topic, @event_key, @kind, @payload, @request_id, @traceparent);

-- name: ClaimLanes :many
-- Lock the lanes with events that nobody else serves.
SELECT id FROM outbox_lane
WHERE EXISTS (SELECT 1 FROM outbox WHERE outbox.lane = outbox_lane.id)
ORDER BY id
FOR UPDATE SKIP LOCKED;

-- name: NextEvents :many
SELECT position, id, topic, event_key, kind, payload, request_id, traceparent, created_at
FROM outbox
WHERE lane = ANY (@lanes::smallint[])
ORDER BY position
LIMIT @batch_size;

-- name: RemoveEvents :execrows
-- By name, not up to a position: a transaction that began earlier may commit a lower one later.
DELETE FROM outbox WHERE position = ANY (@positions::bigint[]);

-- name: MeasureBacklog :one
-- How many events wait, and for how long the oldest has.
SELECT
    count(*) AS events,
    coalesce(extract(epoch FROM now() - min(created_at)), 0)::double precision AS oldest_seconds
FROM outbox;
