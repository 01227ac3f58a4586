-- The months of messages.

-- tenant: all a partition holds a month of all channels
-- name: AddPartitions :one
SELECT add_message_partitions(@months_ahead);

-- tenant: all a partition holds a month of all channels
-- name: DropPartitions :one
SELECT drop_message_partitions(@older_than);
