-- Tenants, people, projects and labels.

-- name: CreateTenant :exec
INSERT INTO tenant (tenant_id, name) VALUES (@tenant_id, @name);

-- name: AddPerson :one
INSERT INTO person (tenant_id, name, email) VALUES (@tenant_id, @name, @email) RETURNING *;

-- name: GetPerson :one :batchget(id)
SELECT * FROM person WHERE tenant_id = @tenant_id AND id = @id;

-- name: ListPeople :many
SELECT * FROM person
WHERE tenant_id = @tenant_id
  AND name ILIKE @pattern -- :if pattern
ORDER BY name, id;

-- name: PatchPerson :one
UPDATE person SET
    name = @name, -- :set
    email = @email, -- :set
    changed_at = now()
WHERE tenant_id = @tenant_id AND id = @id
RETURNING *;

-- name: CreateProject :one
INSERT INTO project (tenant_id, name, about) VALUES (@tenant_id, @name, @about) RETURNING *;

-- name: GetProject :one
SELECT * FROM project WHERE tenant_id = @tenant_id AND id = @id;

-- name: ListProjects :many
-- List projects with their numbers of issues, which are never NULL.
SELECT
    p.id,
    p.name,
    count(i.id) FILTER (WHERE i.status <> 'closed') AS unfinished,
    count(i.id) AS issues
FROM project AS p
LEFT JOIN issue AS i ON i.project_id = p.id AND sqlc.include(visible, i)
WHERE p.tenant_id = @tenant_id
  AND p.archived_at IS NULL -- :if current
GROUP BY p.id
ORDER BY p.name;

-- name: PatchProject :one
UPDATE project SET
    name = @name, -- :set
    about = @about, -- :set
    changed_at = now()
WHERE tenant_id = @tenant_id AND id = @id
RETURNING *;

-- name: ArchiveProject :execrows
UPDATE project
SET archived_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND archived_at IS NULL;

-- name: PutLabels :many :bulk
-- Create labels, or change the color of labels that exist.
INSERT INTO label (tenant_id, name, color)
VALUES (@tenant_id, @name, @color)
ON CONFLICT (tenant_id, name) DO UPDATE SET color = excluded.color
RETURNING *;

-- name: ListLabels :many
SELECT * FROM label WHERE tenant_id = @tenant_id ORDER BY name;

-- name: DeleteLabel :execrows
DELETE FROM label WHERE tenant_id = @tenant_id AND id = @id;

-- tenant: all the operator's monthly bill
-- name: CountTenants :many
SELECT t.tenant_id, t.name, count(p.id) AS people
FROM tenant AS t
LEFT JOIN person AS p ON p.tenant_id = t.tenant_id
GROUP BY t.tenant_id
ORDER BY t.tenant_id;
