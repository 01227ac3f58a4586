-- Sessions that have ended, for as long as access tokens of theirs may live.

-- tenant: all sessions belong to people, not to channels
-- name: EndSessions :execrows
INSERT INTO ended_session (id, ended_at)
SELECT unnest(@ids::uuid[]), @ended_at::timestamptz
ON CONFLICT (id) DO NOTHING;

-- name: ListEnded :many
-- Those of some sessions that have ended.
SELECT id FROM ended_session WHERE id = ANY (@ids::uuid[]);

-- tenant: all sessions belong to people, not to channels
-- name: ForgetEnded :execrows
DELETE FROM ended_session WHERE ended_at < @before;
