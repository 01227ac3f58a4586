-- The months of messages.

-- name: AddPartitions :one
SELECT add_message_partitions(@months_ahead);

-- name: DropPartitions :one
SELECT drop_message_partitions(@older_than);
