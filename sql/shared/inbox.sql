-- Events that arrived: each is recorded in the transaction of its effect.

-- name: RecordHandled :many
-- The events that are new to the consumer; those that it handled before are left out.
INSERT INTO inbox (consumer, event_id)
SELECT @consumer, e.id FROM unnest(@event_ids::uuid[]) AS e (id)
ON CONFLICT (consumer, event_id) DO NOTHING
RETURNING event_id;

-- name: ForgetHandled :execrows
-- Only what is too old to be delivered again, the oldest first; not more than a statement has time for.
DELETE FROM inbox
WHERE (consumer, event_id) IN (
    SELECT consumer, event_id FROM inbox WHERE handled_at < @before ORDER BY handled_at LIMIT @at_most
);
