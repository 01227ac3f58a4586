-- Events on their way out: written with the change they tell of, published afterwards, then removed.

-- name: AddEvent :exec
INSERT INTO outbox
SET id = sqlc.arg(id), lane = sqlc.arg(lane), topic = sqlc.arg(topic), event_key = sqlc.arg(event_key), kind = sqlc.arg(kind),
    payload = sqlc.arg(payload), request_id = sqlc.arg(request_id), traceparent = sqlc.arg(traceparent);

-- name: AddEvents :exec :bulk
INSERT INTO outbox (id, lane, topic, event_key, kind, payload, request_id, traceparent)
VALUES (sqlc.arg(id), sqlc.arg(lane), sqlc.arg(topic), sqlc.arg(event_key), sqlc.arg(kind), sqlc.arg(payload), sqlc.arg(request_id), sqlc.arg(traceparent));

-- name: ClaimLanes :many
-- Lock the lanes with events that nobody else serves.
SELECT id FROM outbox_lane
WHERE EXISTS (SELECT 1 FROM outbox WHERE outbox.lane = outbox_lane.id)
ORDER BY id
FOR UPDATE SKIP LOCKED;

-- name: NextEvents :many
SELECT position, id, topic, event_key, kind, payload, request_id, traceparent, created_at
FROM outbox
WHERE lane IN (sqlc.slice(lanes))
ORDER BY position
LIMIT sqlc.arg(batch_size);

-- name: RemoveEvents :execrows
-- By name, not up to a position: a transaction that began earlier may commit a lower one later.
DELETE FROM outbox WHERE position IN (sqlc.slice(positions));

-- name: MeasureBacklog :one
-- How many events wait, and for how long the oldest has.
SELECT
    count(*) AS events,
    coalesce(timestampdiff(MICROSECOND, min(created_at), now(6)) / 1e6, 0e0) AS oldest_seconds
FROM outbox;
