-- Partitions are made and dropped by whoever asks for it again.
SET LOCAL lock_timeout = '5s';

GRANT EXECUTE ON FUNCTION add_message_partitions(integer), drop_message_partitions(timestamptz) TO PUBLIC;
ALTER FUNCTION add_message_partitions(integer) SECURITY INVOKER RESET search_path;
ALTER FUNCTION drop_message_partitions(timestamptz) SECURITY INVOKER RESET search_path;
