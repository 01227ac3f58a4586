SET LOCAL lock_timeout = '5s';

DELETE FROM permission WHERE name IN ('jobs:read', 'jobs:manage', 'reviews:moderate');
UPDATE role SET version = version + 1, updated_at = now(), updated_by = 'migration'
WHERE name IN ('ADMIN', 'STAFF', 'MODERATOR');
