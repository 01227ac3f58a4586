-- Mail that waits to be sent.

-- name: AddMail :execrows :bulk
INSERT INTO mail (recipient, body) VALUES (@recipient, @body);

-- name: TakeMail :many
-- Lock mail that is due; other workers pass over it.
SELECT id, recipient, body, tries FROM mail
WHERE sent_at IS NULL AND due_at <= now() AND tries < @most_tries
ORDER BY due_at, id
LIMIT @most
FOR UPDATE SKIP LOCKED;

-- name: MarkSent :batchexec
UPDATE mail SET sent_at = now(), problem = NULL WHERE id = @id;

-- name: MarkFailed :batchexec
-- Try again later, and later each time.
UPDATE mail SET tries = tries + 1, problem = @problem, due_at = now() + interval '1 minute' * 2 ^ tries
WHERE id = @id;

-- name: CountMail :one
SELECT count(*) FILTER (WHERE sent_at IS NOT NULL) AS sent, count(*) FILTER (WHERE problem IS NOT NULL) AS failed
FROM mail;
