CREATE TYPE level AS ENUM ('low', 'high');
CREATE TABLE reading (
    sensor text NOT NULL,
    taken date NOT NULL,
    value numeric,
    level level,
    noted timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sensor, taken)
);
