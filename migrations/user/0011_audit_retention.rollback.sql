-- The audit trail is kept for ever again.
SET LOCAL lock_timeout = '5s';

DROP TRIGGER audit_entry_append_only ON audit_entry;
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE ON audit_entry
FOR EACH ROW EXECUTE FUNCTION refuse_change();
DROP FUNCTION refuse_change_unless_old();
