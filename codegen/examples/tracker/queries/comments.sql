-- Comments, attachments and the labels of issues.

-- name: AddComment :one
INSERT INTO comment (tenant_id, issue_id, author_id, body)
VALUES (@tenant_id, @issue_id, @author_id, @body)
RETURNING *;

-- name: EditComment :one
UPDATE comment
SET body = @body, edited_at = now()
WHERE tenant_id = @tenant_id AND id = @id AND author_id = @author_id
RETURNING *;

-- name: DeleteComment :execrows
DELETE FROM comment WHERE tenant_id = @tenant_id AND id = @id AND author_id = @author_id;

-- name: ListComments :many :batchget(issue_id)
SELECT c.id, c.body, c.created_at, p.name AS author
FROM comment AS c
JOIN person AS p ON p.tenant_id = c.tenant_id AND p.id = c.author_id
WHERE c.tenant_id = @tenant_id AND c.issue_id = @issue_id
ORDER BY c.created_at, c.id;

-- name: WalkActivity :page
-- Read all comments of the tenant, the latest first.
SELECT c.id, c.body, c.created_at, i.title AS issue, p.name AS author
FROM comment AS c
JOIN issue AS i ON i.tenant_id = c.tenant_id AND i.id = c.issue_id
JOIN person AS p ON p.tenant_id = c.tenant_id AND p.id = c.author_id
WHERE sqlc.include(visible, i) AND c.tenant_id = @tenant_id
  AND c.author_id = @author_id -- :if author_id
ORDER BY c.created_at DESC, c.id DESC;

-- name: CountComments :one :batchget(issue_id)
SELECT
    i.id AS issue_id,
    (
        SELECT count(*) FROM comment AS c WHERE c.tenant_id = i.tenant_id AND c.issue_id = i.id
    ) AS comments
FROM issue AS i
WHERE sqlc.include(visible, i) AND i.id = @issue_id;

-- name: AddAttachment :one
INSERT INTO attachment (tenant_id, comment_id, name, size)
VALUES (@tenant_id, @comment_id, @name, @size)
RETURNING *;

-- name: AddLabels :execrows
INSERT INTO issue_label (tenant_id, issue_id, label_id)
SELECT @tenant_id, @issue_id, unnest(@label_ids::bigint[])
ON CONFLICT DO NOTHING;

-- name: RemoveLabels :execrows
DELETE FROM issue_label
WHERE tenant_id = @tenant_id AND issue_id = @issue_id AND label_id IN (sqlc.slice(label_ids));

-- name: ListIssueLabels :many :batchget(issue_id)
SELECT l.id, l.name, l.color
FROM issue_label AS il
JOIN label AS l ON l.tenant_id = il.tenant_id AND l.id = il.label_id
WHERE il.tenant_id = @tenant_id AND il.issue_id = @issue_id
ORDER BY l.name;

-- name: CountLabels :many
SELECT l.name, count(i.id) AS issues
FROM label AS l
LEFT JOIN issue_label AS il ON il.tenant_id = l.tenant_id AND il.label_id = l.id
LEFT JOIN issue AS i
    ON i.tenant_id = il.tenant_id
    AND i.id = il.issue_id
    AND sqlc.include(visible, i)
WHERE l.tenant_id = @tenant_id
GROUP BY l.id
ORDER BY issues DESC, l.name;
