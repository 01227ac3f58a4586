-- Mails are taken by kind, so that many of one kind do not delay the others.
SET LOCAL lock_timeout = '5s';

CREATE INDEX mail_outbox_template_due_at ON mail_outbox (template, due_at) WHERE sent_at IS NULL AND failed_at IS NULL;
DROP INDEX mail_outbox_due_at;
