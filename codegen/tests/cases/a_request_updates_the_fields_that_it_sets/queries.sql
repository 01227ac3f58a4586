-- name: AddAuthor :one
INSERT INTO author (name, bio) VALUES (@name, @bio) RETURNING id;

-- name: PatchAuthor :one
UPDATE author SET
    name = @name, -- :set
    bio = @bio, -- :set
    changes = changes + 1
WHERE id = @id
RETURNING name, bio, changes;
