-- Messages, in the order of their channel.

-- name: AddMessage :one
-- No row where the author is not a member, is gone or has sent this before, where a member has blocked the channel, or
-- where it ended before `ended_before`. One statement: the channel is locked for one round trip.
WITH claimed AS (
    INSERT INTO sent (channel_id, author_id, client_id, message_id)
    SELECT member.channel_id, member.user_id, @client_id, @id
    FROM member
    JOIN channel ON channel.id = member.channel_id
    WHERE member.channel_id = @channel_id AND member.user_id = @author_id
        AND (channel.ended_at IS NULL OR channel.ended_at > @ended_before)
        AND NOT EXISTS (SELECT FROM member AS either WHERE either.channel_id = @channel_id AND either.blocked)
        AND NOT EXISTS (SELECT FROM departed WHERE departed.user_id = @author_id)
    ON CONFLICT (channel_id, author_id, client_id) DO NOTHING
    RETURNING channel_id, author_id, client_id, message_id
), placed AS (
    UPDATE channel SET
        last_sequence = channel.last_sequence + 1,
        last_message_id = claimed.message_id,
        last_message_at = now()
    FROM claimed
    WHERE channel.id = claimed.channel_id
    RETURNING channel.last_sequence, channel.customer_id, channel.provider_id
), added AS (
    INSERT INTO message (id, channel_id, sequence, author_id, client_id, text)
    SELECT claimed.message_id, claimed.channel_id, placed.last_sequence, claimed.author_id, claimed.client_id, @text
    FROM claimed CROSS JOIN placed
    RETURNING sequence, created_at
)
SELECT added.sequence, added.created_at, placed.customer_id, placed.provider_id
FROM added CROSS JOIN placed
LIMIT 1;

-- name: GetSent :one
-- What a member has sent before under this id.
SELECT message.*, channel.customer_id, channel.provider_id FROM sent
JOIN message ON message.id = sent.message_id AND message.channel_id = sent.channel_id
JOIN channel ON channel.id = sent.channel_id
WHERE sent.channel_id = @channel_id
AND sent.author_id = @author_id
AND sent.client_id = @client_id;

-- name: GetMessage :one
SELECT * FROM message WHERE id = @id AND channel_id = @channel_id;

-- name: ListOlder :many
-- Newest first, beginning below a sequence.
SELECT * FROM message
WHERE channel_id = @channel_id
AND sequence < @below -- :if below
ORDER BY sequence DESC
LIMIT @most;

-- name: ListNewer :many
-- Oldest first, beginning above a sequence.
SELECT * FROM message
WHERE channel_id = @channel_id AND sequence > @above
ORDER BY sequence
LIMIT @most;

-- tenant: all the maintenance removes old rows of every channel
-- name: ForgetSent :execrows
DELETE FROM sent WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM sent WHERE created_at < @before LIMIT @most
));

-- tenant: all a person who is gone is erased in all channels
-- name: EraseMessages :execrows
-- ignore: V030 erasures are rare, and an index on authors would slow down every new message
-- What somebody who is gone has written; that they wrote stays, or sequences would have gaps.
UPDATE message SET text = @text, client_id = ''
WHERE author_id = @author_id AND text <> @text
    AND channel_id IN (SELECT member.channel_id FROM member WHERE member.user_id = @author_id);

-- tenant: all a person who is gone is erased in all channels
-- name: EraseSent :execrows
DELETE FROM sent
WHERE author_id = @author_id
    AND channel_id IN (SELECT member.channel_id FROM member WHERE member.user_id = @author_id);
