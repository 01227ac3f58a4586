CREATE TABLE site (id int PRIMARY KEY, region text NOT NULL, name text NOT NULL);
CREATE TABLE device (
    id int PRIMARY KEY, site_id int NOT NULL REFERENCES site, model text NOT NULL, serial text NOT NULL UNIQUE, tags text[] NOT NULL,
    installed_on date NOT NULL, retired_at timestamptz
);
CREATE INDEX device_site ON device (site_id);
CREATE INDEX device_tags ON device USING gin (tags);
CREATE INDEX device_model ON device (model) INCLUDE (serial);
CREATE TABLE reading (
    device_id int NOT NULL, at timestamptz NOT NULL, value real NOT NULL, quality smallint NOT NULL, battery real
);
CREATE INDEX reading_at ON reading USING brin (at);
CREATE INDEX reading_device ON reading (device_id, at);
CREATE INDEX reading_bad ON reading (at) WHERE quality = 9;
CREATE TABLE event (
    id bigint PRIMARY KEY, device_id int NOT NULL REFERENCES device, at timestamptz NOT NULL, severity smallint NOT NULL, kind text NOT NULL,
    message text NOT NULL, payload jsonb NOT NULL, source text NOT NULL, trace_id uuid NOT NULL, acknowledged_by int,
    acknowledged_at timestamptz
);
CREATE INDEX event_device ON event (device_id, at DESC);
CREATE INDEX event_at ON event USING brin (at) WITH (pages_per_range = 32);
CREATE INDEX event_open ON event (at) WHERE acknowledged_at IS NULL AND severity >= 4;
CREATE INDEX event_trace ON event (trace_id);
CREATE INDEX event_payload ON event USING gin (payload jsonb_path_ops);
CREATE INDEX event_code ON event ((payload ->> 'code'));
CREATE INDEX event_kind ON event (kind, at);
CREATE TABLE alert (
    id bigint PRIMARY KEY, device_id int NOT NULL REFERENCES device, event_id bigint NOT NULL REFERENCES event ON DELETE CASCADE,
    level smallint NOT NULL, opened_at timestamptz NOT NULL, closed_at timestamptz
);
CREATE INDEX alert_event ON alert (event_id);
CREATE INDEX alert_device ON alert (device_id, opened_at);
CREATE INDEX alert_open ON alert (opened_at) WHERE closed_at IS NULL;
CREATE TABLE hourly (
    device_id int NOT NULL, hour timestamptz NOT NULL, readings int NOT NULL, total double precision NOT NULL, lowest real NOT NULL,
    highest real NOT NULL, PRIMARY KEY (device_id, hour)
);
CREATE INDEX hourly_hour ON hourly (hour);
