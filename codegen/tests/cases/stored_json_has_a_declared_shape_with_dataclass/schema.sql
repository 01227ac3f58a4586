CREATE TABLE users (
    id bigint PRIMARY KEY,
    name text NOT NULL,
    preferences jsonb NOT NULL,
    settings json
);

CREATE TABLE friends (
    user_id bigint NOT NULL REFERENCES users (id),
    friend_id bigint NOT NULL
);

CREATE VIEW themes AS SELECT id, preferences, preferences -> 'theme' AS theme FROM users;
