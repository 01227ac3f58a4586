DROP TABLE sent;
DROP TABLE message;
DROP TABLE member;
DROP TABLE channel;
DROP FUNCTION drop_message_partitions(timestamptz);
DROP FUNCTION add_message_partitions(integer);
DROP FUNCTION first_id_of(timestamptz);
DROP TYPE channel_kind;
