-- Whether the work of a key was committed: said in the transaction that did it.
SET LOCAL lock_timeout = '5s';

ALTER TABLE idempotency_key ADD COLUMN done boolean NOT NULL DEFAULT false;

-- A service order that is asked for again under the same key is the one there is.
ALTER TABLE service_order ADD COLUMN request_key text CHECK (length(request_key) BETWEEN 1 AND 255);
CREATE UNIQUE INDEX service_order_customer_id_request_key ON service_order (customer_id, request_key);
