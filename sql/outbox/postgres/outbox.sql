-- Events on their way out: written with the change they tell of, published afterwards, then removed.

-- name: AddEvent :exec
INSERT INTO outbox (id, lane, topic, event_key, kind, payload, request_id, traceparent)
VALUES (@id, @lane, @topic, @event_key, @kind, @payload, @request_id, @traceparent);

-- name: ClaimLane :one
-- Lock the lane with events that has waited longest and that nobody else serves.
SELECT id FROM outbox_lane
WHERE EXISTS (SELECT 1 FROM outbox WHERE outbox.lane = outbox_lane.id)
ORDER BY served_at
LIMIT 1
FOR UPDATE SKIP LOCKED;

-- name: NoteServed :exec
-- The lane waits its turn again.
UPDATE outbox_lane SET served_at = clock_timestamp() WHERE id = @id;

-- name: NextEvents :many
SELECT position, id, topic, event_key, kind, payload, request_id, traceparent, created_at
FROM outbox
WHERE lane = @lane
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
