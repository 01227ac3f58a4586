CREATE TABLE users (
    id bigint PRIMARY KEY, name text NOT NULL, prefs jsonb, settings json, tags jsonb[], a json, b json,
    c json, d json, e json, f json, g json, h json, i json, j json, k json
);
