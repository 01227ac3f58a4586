-- What administrators and the staff may do in the other services becomes a permission of theirs.
SET LOCAL lock_timeout = '5s';

-- A permission that was added by hand under one of these names stays as it is.
INSERT INTO permission (name, description) VALUES
    ('products:write', 'Create, change and delete products; see and settle everybody''s reservations.'),
    ('catalog:write', 'Create, change and delete categories, services and what providers offer.'),
    ('orders:manage', 'See, change and remove everybody''s orders of goods.'),
    ('places:write', 'Create, change and delete cities and currencies.'),
    ('chats:moderate', 'Read everybody''s messages.')
ON CONFLICT (name) DO NOTHING;

INSERT INTO role_permission (role, permission) VALUES
    ('ADMIN', 'products:write'),
    ('ADMIN', 'catalog:write'),
    ('ADMIN', 'orders:manage'),
    ('ADMIN', 'places:write'),
    ('ADMIN', 'chats:moderate'),
    ('STAFF', 'products:write'),
    ('STAFF', 'orders:manage'),
    ('MODERATOR', 'chats:moderate')
ON CONFLICT DO NOTHING;

-- Who has read a role before this must not take the permissions away unseen.
UPDATE role SET version = version + 1, updated_at = now(), updated_by = 'migration'
WHERE name IN ('ADMIN', 'STAFF', 'MODERATOR');
