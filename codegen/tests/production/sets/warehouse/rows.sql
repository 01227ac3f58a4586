SELECT setseed(0.5);
INSERT INTO region SELECT n, 'region ' || n FROM generate_series(1, 5) n;
INSERT INTO nation SELECT n, 1 + n % 5, 'nation ' || n FROM generate_series(1, 25) n;
INSERT INTO supplier SELECT n, 1 + n % 25, 'supplier ' || n, (n * 7919) % 10000 FROM generate_series(1, {n} / 15) n;
INSERT INTO customer
SELECT n, 1 + floor(random() ^ 2 * 25)::int, 'Mail' || n || '@example.org',
    (ARRAY['auto', 'home', 'tools', 'garden', 'toys'])[1 + n % 5], 'city ' || n % 200, 'zip ' || n % 200 || '-' || n % 3,
    CASE WHEN n % 5 = 0 THEN '+49 ' || n END, random() * 10000, CASE WHEN n % 50 = 0 THEN timestamptz '2024-01-01' END
FROM generate_series(1, {n}) n;
INSERT INTO part
SELECT n, 'brand ' || n % 25, 'kind ' || n % 150, 1 + n % 50, ARRAY['tag ' || n % 400, 'tag ' || n % 7], 900 + random() * 1000
FROM generate_series(1, {n} * 4 / 3) n;
INSERT INTO stock
SELECT p, 1 + (p + s * 997) % ({n} / 15), (random() * 10000)::int, random() * 1000
FROM generate_series(1, {n} * 4 / 3) p, generate_series(0, 3) s ON CONFLICT DO NOTHING;
INSERT INTO orders
SELECT n, 1 + floor(random() ^ 3 * {n})::int, CASE WHEN n % 100 = 0 THEN 'open' WHEN n % 2 = 0 THEN 'sent' ELSE 'done' END,
    random() * 100000, timestamptz '2018-01-01 00:00Z' + n * interval '220 days' / {n}, 1 + n % 5, 'clerk ' || floor(random() * {n} / 100)
FROM generate_series(1, {n} * 10) n;
INSERT INTO line
SELECT o, number, p, 1 + (p + s * 997) % ({n} / 15), 1 + (o % 50)::int, random() * 10000, (o % 11) / 100.0,
    date '2018-01-02' + (o * 220 / {n})::int + s, CASE o % 4 WHEN 0 THEN 'R' WHEN 1 THEN 'A' ELSE 'N' END
FROM (
    SELECT o, number, 1 + floor(random() * ({n} * 4 / 3))::int AS p, (number % 4) AS s
    FROM generate_series(1, {n} * 10) o, generate_series(1, 4) number
) drawn;
INSERT INTO event
SELECT n, 1 + floor(random() * {n})::int, timestamptz '2024-01-01 00:00Z' + n * interval '36 days' / {n},
    CASE WHEN n % 40 = 0 THEN 'buy' ELSE 'view' END
FROM generate_series(1, {n} * 10) n;
VACUUM ANALYZE
