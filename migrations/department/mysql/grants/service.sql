-- The privileges that the queries of department need; regenerate with: make grants
GRANT SELECT, INSERT, UPDATE, DELETE ON `department` TO `department_service`;
GRANT SELECT, INSERT, UPDATE, DELETE ON `outbox` TO `department_service`;
GRANT SELECT, UPDATE ON `outbox_lane` TO `department_service`;
