-- Points of users and the ledger behind them.

-- name: GetBalance :one
-- The user's points; nothing where the user never had any.
SELECT balance FROM point_balance WHERE user_id = @user_id;

-- tenant: all the list of accounts shows the points of each account
-- name: ListBalances :many
-- The points of those of the users who ever had any.
SELECT user_id, balance FROM point_balance WHERE user_id = ANY(@user_ids::uuid[]);

-- name: ListEntriesAfter :many
-- One page of a user's ledger, oldest first, beginning behind the entry `after_id`.
SELECT * FROM point_entry
WHERE user_id = @user_id AND id > @after_id
ORDER BY id
LIMIT @page_size;

-- name: LockBalance :one
-- The user's points, which nobody else moves before the transaction ends; nothing for a newcomer.
SELECT balance FROM point_balance WHERE user_id = @user_id FOR UPDATE;

-- tenant: all an award is unique among all users
-- name: IsAwarded :one
-- Whether there is an entry for this source.
SELECT EXISTS (SELECT FROM point_entry WHERE source = @source::text);

-- name: AddEntry :exec
-- Not ON CONFLICT: the trigger has moved the balance by the time a conflict is met.
INSERT INTO point_entry (id, user_id, amount, reason, source, counterpart)
VALUES (@id, @user_id, @amount, @reason, @source::text, sqlc.narg(counterpart)::uuid);

-- name: EnsureBalance :exec
-- So that there is something to lock for a newcomer, too.
INSERT INTO point_balance (user_id) VALUES (@user_id) ON CONFLICT DO NOTHING;

-- name: AwardedSince :one
-- What was given to the user, taken off what was taken back.
SELECT coalesce(sum(amount), 0)::bigint FROM point_entry
WHERE user_id = @user_id AND source IS NOT NULL AND created_at > now() - make_interval(secs => @seconds::double precision);

-- name: CountPairSince :one
-- How often the user was thanked for dealing with that one.
SELECT count(*) FROM point_entry
WHERE user_id = @user_id AND counterpart = @counterpart::uuid AND source IS NOT NULL AND amount > 0
    AND created_at > now() - make_interval(secs => @seconds::double precision);

-- tenant: all the service takes back the awards of both parties of a job
-- name: ListAwards :many
-- What was given for these, by user.
SELECT source, user_id, amount FROM point_entry
WHERE source = ANY (@sources::text[])
ORDER BY user_id, source;
