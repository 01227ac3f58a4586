-- name: SetSettings :exec
INSERT INTO shop (id, settings) VALUES (@id, @settings);

-- name: PatchSettings :one
-- column: settings dict[str, object]!
UPDATE shop SET settings = settings || @patch WHERE id = @id RETURNING settings;

-- name: FindBySettings :many
SELECT id FROM shop WHERE settings @> @wanted ORDER BY id;
