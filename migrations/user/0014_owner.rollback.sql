-- What is old is taken away by the service itself again.
SET LOCAL lock_timeout = '5s';

DROP FUNCTION forget_addresses, forget_audit;
