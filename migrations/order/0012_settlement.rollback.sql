SET LOCAL lock_timeout = '5s';

DROP INDEX goods_order_pending_since;
ALTER TABLE goods_order DROP COLUMN settle_at, DROP COLUMN settled_at;
