-- Roles, what they may do, and who has them.

-- name: ListRoles :many
SELECT
    role.name, role.description, role.version, role.updated_at, role.updated_by,
    coalesce(
        array_agg(role_permission.permission ORDER BY role_permission.permission)
            FILTER (WHERE role_permission.permission IS NOT NULL),
        '{}'
    )::text[] AS permissions
FROM role
LEFT JOIN role_permission ON role_permission.role = role.name
GROUP BY role.name
ORDER BY role.name;

-- name: GetRole :one
SELECT
    role.name, role.description, role.version, role.updated_at, role.updated_by,
    ARRAY(
        SELECT permission FROM role_permission WHERE role_permission.role = role.name ORDER BY permission
    )::text[] AS permissions
FROM role
WHERE role.name = @name;

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
