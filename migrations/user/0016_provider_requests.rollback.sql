SET LOCAL lock_timeout = '5s';

DROP TABLE provider_request;
DROP TYPE request_status;
