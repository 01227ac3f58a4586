SET LOCAL lock_timeout = '5s';

ALTER TABLE account DROP COLUMN custom_role;
DROP TABLE custom_role_permission;
DROP TABLE custom_role;
