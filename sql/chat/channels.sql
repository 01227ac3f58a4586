-- Channels and their members.

-- name: AddChannel :execrows
-- No row where the channel was opened before.
INSERT INTO channel (id, kind, subject_id, customer_id, provider_id)
VALUES (@channel_id, @kind, @subject_id, @customer_id, @provider_id)
ON CONFLICT (kind, subject_id, provider_id) DO NOTHING;

-- name: AddMembers :exec :bulk
INSERT INTO member (channel_id, user_id) VALUES (@channel_id, @user_id);

-- name: GetChannel :one
SELECT * FROM channel WHERE id = @channel_id;

-- tenant: all the list of a user shows all channels of the user, and compares the member
-- name: ListChannels :many
-- A user's channels, the one with the newest message first.
SELECT
    channel.id,
    channel.kind,
    channel.subject_id,
    channel.customer_id,
    channel.provider_id,
    channel.last_sequence,
    channel.created_at,
    channel.ended_at,
    mine.read_sequence,
    mine.blocked AS blocked_by_me,
    mine.blocked OR other.blocked AS blocked,
    other.read_sequence AS other_read_sequence,
    unread.unread,
    message.id AS message_id,
    message.author_id,
    message.text,
    message.created_at AS sent_at
FROM member AS mine
JOIN channel ON channel.id = mine.channel_id
JOIN member AS other ON other.channel_id = mine.channel_id AND other.user_id <> mine.user_id
LEFT JOIN message ON message.id = channel.last_message_id
CROSS JOIN LATERAL (
    SELECT count(*) AS unread FROM (
        SELECT 1 FROM message
        WHERE message.channel_id = mine.channel_id
        AND message.sequence > mine.read_sequence
        AND message.author_id <> mine.user_id
        LIMIT 100
    ) AS newer
) AS unread
WHERE mine.user_id = @user_id
AND channel.id = @channel_id -- :if channel_id
AND channel.kind = @kind -- :if kind
AND channel.subject_id = @subject_id -- :if subject_id
ORDER BY coalesce(channel.last_message_at, channel.created_at) DESC, channel.id DESC
LIMIT @page_size OFFSET @skip;

-- tenant: all the list of a user shows all channels of the user, and compares the member
-- name: CountChannels :one
SELECT count(*) FROM member
JOIN channel ON channel.id = member.channel_id
WHERE member.user_id = @user_id
AND channel.kind = @kind -- :if kind
AND channel.subject_id = @subject_id -- :if subject_id
;

-- tenant: all the list of a user shows all channels of the user, and compares the member
-- name: ListPositions :many
-- Where a user's channels stand, the newest channels first.
SELECT channel.id, channel.last_sequence, channel.customer_id, channel.provider_id FROM member
JOIN channel ON channel.id = member.channel_id
WHERE member.user_id = @user_id
ORDER BY channel.id DESC
LIMIT @most;

-- tenant: all the list of a user shows all channels of the user, and compares the member
-- name: ListPositionsAmong :many
-- Where those of a user's channels stand that are asked for.
SELECT channel.id, channel.last_sequence FROM member
JOIN channel ON channel.id = member.channel_id
WHERE member.user_id = @user_id AND member.channel_id = ANY (@channel_ids::uuid[]);

-- tenant: all a replica asks for all channels that its users have open
-- name: ListAdvanced :many
-- Those channels that stand further on than is known.
SELECT channel.id, channel.last_sequence
FROM unnest(@ids::uuid[], @lasts::bigint[]) AS known (id, last)
JOIN channel ON channel.id = known.id
WHERE channel.last_sequence > known.last;

-- name: GetMembers :one
-- The two of a channel, where the user is one of them.
SELECT channel.customer_id, channel.provider_id FROM channel
JOIN member ON member.channel_id = channel.id
WHERE channel.id = @channel_id AND member.user_id = @user_id;

-- name: GetState :one
-- What may keep a member from writing: the end of the channel, a block by either member, a departure.
SELECT
    channel.customer_id, channel.provider_id, channel.ended_at,
    EXISTS (SELECT FROM member AS either WHERE either.channel_id = channel.id AND either.blocked) AS blocked,
    EXISTS (SELECT FROM departed WHERE departed.user_id = member.user_id) AS departed
FROM channel JOIN member ON member.channel_id = channel.id
WHERE channel.id = @channel_id AND member.user_id = @user_id;

-- name: SetBlocked :execrows
UPDATE member SET blocked = @blocked WHERE channel_id = @channel_id AND user_id = @user_id;

-- tenant: all the end of a job or an order ends the channels with all its providers
-- name: EndChannels :execrows
-- Of a job or of a service order. The first end counts: a job that is taken back had ended before.
UPDATE channel SET ended_at = @ended_at
WHERE kind = @kind AND subject_id = @subject_id AND (ended_at IS NULL OR ended_at > @ended_at);

-- name: MarkRead :one
-- No row where the mark is there already or further on.
UPDATE member SET read_sequence = message.sequence
FROM message
WHERE message.id = @message_id
AND message.channel_id = member.channel_id
AND member.channel_id = @channel_id
AND member.user_id = @user_id
AND member.read_sequence < message.sequence
RETURNING member.read_sequence;
