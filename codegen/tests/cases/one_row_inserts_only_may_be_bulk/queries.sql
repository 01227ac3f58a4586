-- name: TwoRows :exec :bulk
INSERT INTO reading (sensor, taken) VALUES (@a, @day), (@b, @day);

-- name: Updating :exec :bulk
UPDATE reading SET value = @value WHERE sensor = @sensor;

-- name: One :one :bulk
INSERT INTO reading (sensor, taken) VALUES (@a, @day) RETURNING *;

-- name: Outside :exec :bulk
INSERT INTO reading (sensor, taken) VALUES (@a, @day)
ON CONFLICT (sensor, taken) DO UPDATE SET value = @value;
