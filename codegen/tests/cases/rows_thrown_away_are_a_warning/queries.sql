-- name: AddUser :exec
INSERT INTO users (id, name) VALUES (@id, @name) RETURNING id;

-- name: AddOther :exec
-- ignore: E322 the id is known to the caller
INSERT INTO users (id, name) VALUES (@id, @name) RETURNING id;
