-- Events that leave a MySQL database.
-- A service that publishes from there carries these files, byte for byte, among its own migrations.

CREATE TABLE outbox (
    position bigint AUTO_INCREMENT PRIMARY KEY,
    id binary(16) NOT NULL,
    lane smallint NOT NULL,
    topic varchar(255) NOT NULL,
    event_key varchar(255) NOT NULL,
    kind varchar(255) NOT NULL,
    payload longtext NOT NULL,
    request_id varchar(255) NOT NULL,
    traceparent varchar(255) NOT NULL,
    created_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    KEY outbox_in_order (lane, position),
    CONSTRAINT outbox_lane_check CHECK (lane BETWEEN 0 AND 7),
    CONSTRAINT outbox_topic_check CHECK (topic <> ''),
    CONSTRAINT outbox_kind_check CHECK (kind <> '')
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;

-- Who holds the lock on a lane's row publishes its events: one at a time, hence in order.
-- By the key on `served_at` a relay locks the one lane it takes, not all that it looks at.
CREATE TABLE outbox_lane (
    id smallint PRIMARY KEY,
    served_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
    KEY outbox_lane_served_at (served_at)
);

INSERT INTO outbox_lane (id) VALUES (0), (1), (2), (3), (4), (5), (6), (7);
