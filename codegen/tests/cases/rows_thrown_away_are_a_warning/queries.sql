-- name: AddUser :exec
INSERT INTO users (id, name) VALUES (@id, @name) RETURNING id;

-- name: AddOther :exec
-- ignore: E322 the id is known to the caller
INSERT INTO users (id, name) VALUES (@id, @name) RETURNING id;

-- name: NotifyOfUsers :exec
WITH changed AS (UPDATE users SET name = @name RETURNING id)
SELECT pg_notify('users', id::text) FROM changed;

-- name: NotifyAndReturn :exec
WITH changed AS (UPDATE users SET name = @name RETURNING id)
SELECT id, pg_notify('users', id::text) FROM changed;
