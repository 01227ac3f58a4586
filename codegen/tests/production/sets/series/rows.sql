SELECT setseed(0.75);
INSERT INTO site SELECT n, 'region ' || n % 12, 'site ' || n FROM generate_series(1, {n} / 4) n;
INSERT INTO device
SELECT n, 1 + floor(power(random(), 2) * ({n} / 4))::int, 'model ' || floor(power(random(), 3) * 60), 'serial ' || md5(n::text),
    ARRAY['tag ' || n % 300, 'zone ' || n % 17, 'class ' || floor(power(random(), 3) * 40)], date '2023-01-01' + (n % 500)::int,
    CASE WHEN n % 25 = 0 THEN timestamptz '2024-06-01 00:00Z' END
FROM generate_series(1, {n} * 3) n;
INSERT INTO reading
SELECT 1 + floor(power(random(), 1.5) * {n} * 3)::int, timestamptz '2024-01-01 00:00Z' + n * interval '180 days' / ({n} * 8000),
    (random() * 100)::real, CASE WHEN n % 500 = 0 THEN 9 WHEN n % 20 = 0 THEN 1 ELSE 0 END,
    CASE WHEN n % 3 = 0 THEN (random() * 4)::real END
FROM generate_series(1, {n} * 8000) n;
INSERT INTO event
SELECT n, 1 + floor(power(random(), 2) * {n} * 3)::int,
    timestamptz '2024-01-01 00:00Z' + n * interval '180 days' / ({n} * 800) + random() * interval '2 minutes', s,
    CASE WHEN n % 1000 = 0 THEN 'reset' WHEN n % 50 = 0 THEN 'offline' WHEN n % 3 = 0 THEN 'threshold' ELSE 'heartbeat' END,
    'the device has sent an event with the text ' || md5(n::text) || ' and the number ' || n,
    jsonb_build_object('code', 'E' || floor(power(random(), 2) * 900), 'firmware', '1.' || n % 30, 'volts', n % 240, 'port', n % 48),
    'gateway ' || n % 120, md5(n::text)::uuid, CASE WHEN random() < 0.9 THEN 1 + n % 50 END,
    CASE WHEN random() < 0.9 THEN timestamptz '2024-07-01 00:00Z' END
FROM (SELECT n, 1 + floor(power(random(), 4) * 5)::int AS s FROM generate_series(1, {n} * 800) n) drawn;
INSERT INTO alert
SELECT n, 1 + floor(power(random(), 2) * {n} * 3)::int, n * 10, 1 + n % 3, timestamptz '2024-01-01 00:00Z' + n * interval '180 days' / ({n} * 80),
    CASE WHEN n % 40 <> 0 THEN timestamptz '2024-07-01 00:00Z' END
FROM generate_series(1, {n} * 80) n;
INSERT INTO hourly
SELECT d, h, 20, random() * 2000, (random() * 10)::real, (90 + random() * 10)::real
FROM generate_series(timestamptz '2024-06-01 00:00Z', '2024-06-14 00:00Z', '1 hour') h, generate_series(1, {n} * 3) d;
VACUUM ANALYZE
