-- name: SameRow :many
-- row: Shared
SELECT id FROM users;

-- name: CopySome :copyfrom
INSERT INTO users (id, name) VALUES (@id, lower(@name));

-- name: LastId :execlastid
INSERT INTO users (id, name) VALUES (@id, @name);

-- name: CopyPrices :copyfrom
INSERT INTO price (id, amount) VALUES (@id, @amount);
