SET LOCAL lock_timeout = '5s';

DROP FUNCTION goods_waiting_value(uuid, text);
DROP FUNCTION goods_held(uuid, uuid[]);
DROP INDEX goods_draft_user_id;
DROP INDEX goods_order_waiting;
ALTER TABLE goods_draft DROP COLUMN held;
