SET LOCAL lock_timeout = '5s';

DROP FUNCTION goods_waiting(uuid, integer);
