SET LOCAL lock_timeout = '5s';

DELETE FROM permission
WHERE name IN ('products:write', 'catalog:write', 'orders:manage', 'places:write', 'chats:moderate');
UPDATE role SET version = version + 1, updated_at = now(), updated_by = 'migration'
WHERE name IN ('ADMIN', 'STAFF', 'MODERATOR');
