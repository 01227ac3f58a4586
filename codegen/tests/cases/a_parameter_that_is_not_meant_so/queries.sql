-- name: One :many
SELECT id FROM users WHERE id IN (@ids);

-- name: NotOne :many
SELECT id FROM users WHERE id NOT IN ( sqlc.narg(ids) );

-- name: Numbered :many
SELECT id FROM users WHERE id IN ($1) OR made > now() - INTERVAL '$2 days' OR name = '$5' OR id = $2;

-- name: Silenced :many
-- ignore: E125 one is enough
SELECT id FROM users WHERE id IN (@id);

-- name: Lists :many
SELECT id FROM users WHERE id IN (1, @id) AND id IN (sqlc.slice(ids)) AND id IN (@id::int);

-- name: Pattern :many
SELECT id FROM users WHERE name LIKE '%@q%' OR name LIKE '@q%' OR name = '@q' OR name = 'sqlc.arg(q)';

-- name: Addresses :many
SELECT id FROM users
WHERE name IN ('ann@example.com', '@', 'a @ b', $$ @body $$) OR name ~ '^[@#]x' OR name::jsonb @? '$.a ? (@.b > 1)';

-- name: AnArray :many
SELECT id FROM users WHERE id IN (@ids::int[]);
