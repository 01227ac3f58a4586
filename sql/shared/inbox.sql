-- Events that arrived: each is recorded in the transaction of its effect.

-- name: RecordHandled :execrows
-- One row where the event is new to the consumer, none where it was handled before.
INSERT INTO inbox (consumer, event_id) VALUES (@consumer, @event_id)
ON CONFLICT (consumer, event_id) DO NOTHING;

-- name: ForgetHandled :execrows
-- Only what is too old to be delivered again, the oldest first; not more than a statement has time for.
DELETE FROM inbox
WHERE (consumer, event_id) IN (
    SELECT consumer, event_id FROM inbox WHERE handled_at < @before ORDER BY handled_at LIMIT @at_most
);
