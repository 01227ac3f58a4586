-- Who is gone: deactivated or deleted.

-- tenant: all a person leaves all channels
-- name: Depart :execrows
-- An older event than what is known changes nothing.
INSERT INTO departed (user_id, departed_at) VALUES (@user_id, @departed_at)
ON CONFLICT (user_id) DO UPDATE SET departed_at = greatest(departed.departed_at, EXCLUDED.departed_at);

-- tenant: all a person returns to all channels
-- name: Return :execrows
-- The account is active again; a departure after that stays.
DELETE FROM departed WHERE user_id = @user_id AND departed_at <= @until;

-- name: GetStanding :one
-- ignore: V009 a token without a session belongs to no session that has ended
-- Whether an account is gone, and whether a session of it has ended.
SELECT
    EXISTS (SELECT FROM departed WHERE user_id = @user_id) AS departed,
    EXISTS (SELECT FROM ended_session WHERE id = sqlc.narg(session_id)::uuid) AS ended;

-- name: ListDeparted :many
-- Those of some users who are gone.
SELECT user_id FROM departed WHERE user_id = ANY (@user_ids::uuid[]);
