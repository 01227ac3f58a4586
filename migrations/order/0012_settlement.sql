-- When an order was paid for, and until then when to ask again; and those that nobody confirms, oldest first.
SET LOCAL lock_timeout = '5s';

ALTER TABLE goods_order
ADD COLUMN settle_at timestamptz,
ADD COLUMN settled_at timestamptz,
ADD CONSTRAINT goods_order_settled_when_delivered
CHECK (status = 'delivered' OR (settle_at IS NULL AND settled_at IS NULL)),
ADD CONSTRAINT goods_order_settled_once CHECK (settle_at IS NULL OR settled_at IS NULL);

-- What was delivered before is asked about once more; whoever hears of it knows what they have heard.
UPDATE goods_order SET settle_at = now() WHERE status = 'delivered';

CREATE INDEX goods_order_settle_at ON goods_order (settle_at, id) WHERE settle_at IS NOT NULL;
CREATE INDEX goods_order_pending_since ON goods_order (created_at, id) WHERE status = 'pending';
