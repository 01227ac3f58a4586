SELECT setseed(0.25);
INSERT INTO tenant
SELECT n, 'tenant ' || n, (ARRAY['free', 'free', 'free', 'team', 'business'])[1 + n % 5],
    jsonb_build_object('locale', 'l' || n % 7, 'sso', n % 11 = 0), timestamptz '2020-01-01 00:00Z' + n * interval '5 years' / {n}
FROM generate_series(1, {n}) n;
INSERT INTO member
SELECT n, 1 + floor(power(random(), 3) * {n})::int, 'User' || n || '@example.org',
    (ARRAY['member', 'member', 'member', 'guest', 'admin', 'member', 'guest', 'owner'])[1 + n % 8]::role, 'name ' || n,
    n % 40 <> 0, CASE WHEN n % 4 > 0 THEN timestamptz '2025-06-30 00:00Z' - random() * interval '200 days' END
FROM generate_series(1, {n} * 40) n;
INSERT INTO project
SELECT n, 1 + n / 10, 'P' || n % 10, 'project ' || n, CASE WHEN n % 9 = 0 THEN timestamptz '2025-01-01 00:00Z' END
FROM generate_series(0, {n} * 10 - 1) n;
INSERT INTO issue
SELECT n, tenant_id, (tenant_id - 1) * 10 + floor(power(random(), 2) * 10)::bigint, n, 'title of the issue ' || md5(n::text),
    CASE WHEN r < 0.80 THEN 'done' WHEN r < 0.88 THEN 'backlog' WHEN r < 0.94 THEN 'todo' WHEN r < 0.97 THEN 'rejected'
        WHEN r < 0.995 THEN 'doing' ELSE 'review' END::status,
    1 + floor(power(random(), 2) * 5)::int, CASE WHEN random() < 0.6 THEN 1 + floor(random() * {n} * 40)::bigint END,
    1 + floor(power(random(), 2) * {n} * 40)::bigint,
    jsonb_build_object('sprint', 's' || floor(power(random(), 2) * 400), 'points', n % 13, 'component', 'c' || floor(random() * 90),
        'customer', 'customer ' || floor(power(random(), 4) * 20000)),
    CASE WHEN random() < 0.2 THEN date '2025-01-01' + floor(random() * 365)::int END, made, made + random() * interval '30 days',
    CASE WHEN random() < 0.01 THEN made + interval '40 days' END
FROM (
    SELECT n, 1 + floor(power(random(), 3) * {n})::int AS tenant_id, random() AS r,
        timestamptz '2022-01-01 00:00Z' + n * interval '3 years' / ({n} * 600) AS made
    FROM generate_series(1, {n} * 600) n
) drawn;
INSERT INTO label SELECT n, 1 + n % {n}, 'label ' || n / {n} FROM generate_series(0, {n} * 12 - 1) n;
INSERT INTO issue_label
SELECT 1 + floor(random() * {n} * 600)::bigint, floor(power(random(), 2) * {n} * 12)::bigint
FROM generate_series(1, {n} * 700) ON CONFLICT DO NOTHING;
INSERT INTO comment
SELECT n, 1 + floor(power(random(), 3) * {n})::int, 1 + floor(power(random(), 2) * {n} * 600)::bigint,
    1 + floor(power(random(), 2) * {n} * 40)::bigint, repeat('some words of a comment ', 1 + n::int % 8) || n,
    timestamptz '2022-01-02 00:00Z' + n * interval '3 years' / ({n} * 1500)
FROM generate_series(1, {n} * 1500) n;
INSERT INTO attachment
SELECT n, 1 + floor(random() * {n} * 600)::bigint, 'file ' || n, floor(power(random(), 5) * 1e9)::bigint, md5(n::text)
FROM generate_series(1, {n} * 150) n;
INSERT INTO activity
SELECT n, 1 + floor(power(random(), 3) * {n})::int, 1 + floor(random() * {n} * 600)::bigint, 1 + floor(random() * {n} * 40)::bigint,
    CASE WHEN n % 100 = 0 THEN 'delete' WHEN n % 7 = 0 THEN 'comment' ELSE 'change' END,
    jsonb_build_object('from', 'a' || n % 9, 'to', 'b' || n % 11), timestamptz '2025-01-01 00:00Z' + n * interval '181 days' / ({n} * 2000 + 1)
FROM generate_series(1, {n} * 2000) n;
VACUUM ANALYZE
