-- notify: fine Fine
SELECT id, status FROM orders;
-- notify: renamed Renamed
SELECT id, status FROM orders;
-- notify: renamed_key RenamedKey
SELECT id, status FROM orders;
-- notify: on_delete orders
-- notify: before orders
-- notify: members_on_delete OnlyId
SELECT id FROM orders;
-- notify: loops LoopsPayload
SELECT id FROM orders;
-- notify: parameter ParameterPayload
SELECT id, status FROM orders;
-- notify: plain orders
-- notify: anything text
-- notify: unknown_member UnknownMember
SELECT id, status FROM orders;
-- notify: stored Stored
SELECT doc FROM orders;

-- notify: queried Queried
SELECT id, status FROM orders;

-- name: Sent :exec
WITH changed AS (UPDATE orders SET total = 1 RETURNING id, status, note)
SELECT pg_notify('queried', row_to_json(changed)::text) FROM changed;

-- name: SentInReturning :many
INSERT INTO orders (id, status, doc) VALUES (@id, @status, '{}')
RETURNING id, pg_notify('queried', json_build_object('id', id, 'status', note)::text)::text;

-- name: SentByStatement :exec
NOTIFY queried, '{"id": 1, "status": "x"}';

-- name: SentElsewhere :exec
SELECT pg_notify(@channel, 'x'), pg_notify('undeclared', 'x');
