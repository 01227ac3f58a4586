-- Roles, what they may do, and who has them.

-- name: ListRoles :many
-- The kinds of accounts.
SELECT
    role.name::text AS name, role.name AS kind, false AS custom, role.description, role.version, role.updated_at,
    role.updated_by,
    ARRAY(
        SELECT permission FROM role_permission WHERE role_permission.role = role.name ORDER BY permission
    )::text[] AS permissions
FROM role
ORDER BY role.name;

-- name: ListCustomRoles :many
-- The roles that were created.
SELECT
    c.name, c.kind, true AS custom, c.description, c.version, c.updated_at, c.updated_by,
    ARRAY(
        SELECT p.permission FROM custom_role_permission AS p WHERE p.role = c.name ORDER BY p.permission
    )::text[] AS permissions
FROM custom_role AS c
ORDER BY c.name;

-- name: GetRole :one
SELECT
    role.name::text AS name, role.name AS kind, false AS custom, role.description, role.version, role.updated_at,
    role.updated_by,
    ARRAY(
        SELECT permission FROM role_permission WHERE role_permission.role = role.name ORDER BY permission
    )::text[] AS permissions
FROM role
WHERE role.name = @name;

-- name: GetCustomRole :one
SELECT
    c.name, c.kind, true AS custom, c.description, c.version, c.updated_at, c.updated_by,
    ARRAY(
        SELECT p.permission FROM custom_role_permission AS p WHERE p.role = c.name ORDER BY p.permission
    )::text[] AS permissions
FROM custom_role AS c
WHERE c.name = @name;

-- name: LockCustomRole :one
-- Whoever changes a role waits for those who give it, and the other way round.
SELECT kind, version FROM custom_role WHERE name = @name FOR NO KEY UPDATE;

-- name: AddCustomRole :execrows
-- No row where there are `most`.
INSERT INTO custom_role (name, kind, description, updated_by)
SELECT @name, @kind, @description, @updated_by WHERE (SELECT count(*) FROM custom_role) < @most;

-- name: UpdateCustomRole :exec
UPDATE custom_role SET
    description = coalesce(sqlc.narg(description)::text, description),
    version = version + 1, updated_at = now(), updated_by = @updated_by
WHERE name = @name;

-- name: RemoveCustomRole :exec
DELETE FROM custom_role WHERE name = @name;

-- name: RevokeCustomPermissions :execrows
DELETE FROM custom_role_permission WHERE role = @role AND permission <> ALL (@permissions::text[]);

-- name: GrantCustomPermissions :execrows
INSERT INTO custom_role_permission (role, permission)
SELECT @role, name FROM permission WHERE name = ANY (@permissions::text[])
ON CONFLICT DO NOTHING;

-- name: LockRole :one
-- Whoever changes a role, or who is an administrator, waits for the others here.
SELECT version FROM role WHERE name = @name FOR NO KEY UPDATE;

-- name: UpdateRole :exec
UPDATE role SET
    description = coalesce(sqlc.narg(description)::text, description),
    version = version + 1, updated_at = now(), updated_by = @updated_by
WHERE name = @name;

-- name: RevokePermissions :execrows
DELETE FROM role_permission WHERE role = @role AND permission <> ALL (@permissions::text[]);

-- name: GrantPermissions :execrows
INSERT INTO role_permission (role, permission)
SELECT @role, name FROM permission WHERE name = ANY (@permissions::text[])
ON CONFLICT DO NOTHING;

-- name: UnknownPermissions :many
SELECT wanted.name::text AS name FROM unnest(@permissions::text[]) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM permission WHERE permission.name = wanted.name)
ORDER BY wanted.name;

-- name: ListPermissions :many
SELECT name, description FROM permission ORDER BY name;

-- name: AddPermission :exec
INSERT INTO permission (name, description) VALUES (@name, @description);

-- name: RemovePermission :execrows
DELETE FROM permission WHERE name = @name;

-- name: OtherAdministrators :one
-- Those who could still manage everything if this one could not.
SELECT count(*) FROM account
WHERE role = 'ADMIN' AND status = 'active' AND password_hash IS NOT NULL AND id <> @id;
