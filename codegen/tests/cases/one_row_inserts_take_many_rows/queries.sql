-- name: AddReadings :many :bulk
-- Later readings replace earlier ones.
INSERT INTO reading (sensor, taken, value, level)
VALUES (lower(@sensor), @taken, @value, @level)
ON CONFLICT (sensor, taken) DO UPDATE SET value = excluded.value
RETURNING sensor, value;

-- name: AddDay :execrows :bulk
INSERT INTO reading (sensor, taken) VALUES (@sensor, current_date);
