-- What administrators, moderators and the staff may do in the marketplace becomes a permission of theirs, too.
SET LOCAL lock_timeout = '5s';

-- A permission that was added by hand under one of these names stays as it is.
INSERT INTO permission (name, description) VALUES
    ('jobs:read', 'See everybody''s service orders, offers and jobs, and what providers say of customers.'),
    ('jobs:manage', 'See, change and remove everybody''s service orders, offers and jobs; say where providers work from.'),
    ('reviews:moderate', 'See and remove everybody''s reviews.')
ON CONFLICT (name) DO NOTHING;

INSERT INTO role_permission (role, permission) VALUES
    ('ADMIN', 'jobs:read'),
    ('ADMIN', 'jobs:manage'),
    ('ADMIN', 'reviews:moderate'),
    ('STAFF', 'jobs:read'),
    ('MODERATOR', 'jobs:read'),
    ('MODERATOR', 'reviews:moderate')
ON CONFLICT DO NOTHING;

-- Who has read a role before this must not take the permissions away unseen.
UPDATE role SET version = version + 1, updated_at = now(), updated_by = 'migration'
WHERE name IN ('ADMIN', 'STAFF', 'MODERATOR');
