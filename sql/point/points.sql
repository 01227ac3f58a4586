-- Points of users and the ledger behind them.

-- name: GetBalance :one
-- The user's points; nothing where the user never had any.
SELECT balance FROM point_balance WHERE user_id = @user_id;

-- name: ListBalances :many
-- The points of those of the users who ever had any.
SELECT user_id, balance FROM point_balance WHERE user_id = ANY(@user_ids::uuid[]);

-- name: ListEntriesAfter :many
-- One page of a user's ledger, oldest first, beginning behind the entry `after_id`.
SELECT * FROM point_entry
WHERE user_id = @user_id AND id > @after_id
ORDER BY id
LIMIT @page_size;
