DROP TABLE inbox;
DROP TABLE outbox;
DROP TABLE outbox_lane;
