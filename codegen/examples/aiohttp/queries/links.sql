-- Short names of long addresses.

-- name: AddLink :exec
INSERT INTO link (slug, target) VALUES (@slug, @target);

-- name: Visit :one
-- Count a visit and say where it goes.
UPDATE link SET visits = visits + 1 WHERE slug = @slug RETURNING target;

-- name: Busiest :many
SELECT * FROM link ORDER BY visits DESC, slug LIMIT @most;
