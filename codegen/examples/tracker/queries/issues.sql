-- Issues: create and change them, and find them again.

-- Issues of the tenant that are not deleted.
-- fragment: visible(i)
i.tenant_id = @tenant_id AND i.deleted_at IS NULL;

-- The words of an issue, as the index issue_document stores them.
-- fragment: document(i)
to_tsvector('english', i.title || ' ' || i.body);

-- name: CreateIssue :one
INSERT INTO issue (tenant_id, project_id, parent_id, author_id, title, body, priority, due)
VALUES (@tenant_id, @project_id, @parent_id, @author_id, @title, @body, @priority, @due)
RETURNING *;

-- name: ImportIssues :many :bulk
INSERT INTO issue (tenant_id, project_id, author_id, title, priority)
VALUES (@tenant_id, @project_id, @author_id, @title, @priority)
RETURNING id;

-- name: GetIssue :one :batchget(id)
SELECT * FROM issue AS i WHERE sqlc.include(visible, i) AND i.id = @id;

-- name: PatchIssue :one
-- Change the passed fields. None removes the assignee or the due date.
UPDATE issue AS i SET
    title = @title, -- :set
    body = @body, -- :set
    priority = @priority, -- :set
    assignee_id = @assignee_id, -- :set
    due = @due, -- :set
    changed_at = now()
WHERE sqlc.include(visible, i) AND i.id = @id
RETURNING *;

-- name: MoveIssue :one
UPDATE issue AS i
SET parent_id = @parent_id, changed_at = now()
WHERE sqlc.include(visible, i) AND i.id = @id AND i.id <> @parent_id
RETURNING i.id, i.parent_id;

-- name: SetStatus :execrows
-- Set the status of many issues. A closed issue has a time at which it was closed.
UPDATE issue AS i
SET status = @status, closed_at = CASE WHEN @status = 'closed' THEN now() END, changed_at = now()
WHERE sqlc.include(visible, i) AND i.id IN (sqlc.slice(ids)) AND i.status <> @status;

-- name: DeleteIssue :execrows
UPDATE issue AS i SET deleted_at = now() WHERE sqlc.include(visible, i) AND i.id = @id;

-- name: RestoreIssue :execrows
UPDATE issue
SET deleted_at = NULL
WHERE tenant_id = @tenant_id AND id = @id AND deleted_at IS NOT NULL;

-- name: PurgeIssues :execrows
DELETE FROM issue AS i
WHERE i.tenant_id = @tenant_id
    AND i.deleted_at < @before
    AND NOT EXISTS (SELECT FROM comment AS c WHERE c.tenant_id = i.tenant_id AND c.issue_id = i.id)
    AND NOT EXISTS (
        SELECT FROM issue AS child WHERE child.tenant_id = i.tenant_id AND child.parent_id = i.id
    )
    AND NOT EXISTS (
        SELECT FROM issue_label AS l WHERE l.tenant_id = i.tenant_id AND l.issue_id = i.id
    );

-- name: WalkIssues :page
-- Read issues page by page, also while issues are created. A cursor stores the sort order.
SELECT i.id, i.title, i.status, i.priority, i.created_at, i.assignee_id
FROM issue AS i
WHERE sqlc.include(visible, i)
  AND i.project_id IN (sqlc.slice(project_ids)) -- :if project_ids
  AND i.status = @status -- :if status
  AND i.author_id = @author_id -- :if author_id
  AND i.assignee_id = @assignee_id -- :if assignee_id
  AND i.assignee_id IS NULL -- :if unclaimed
  AND i.priority <= @least_urgent -- :if least_urgent
  AND i.due < @due_before -- :if due_before
  AND sqlc.include(document, i) @@ websearch_to_tsquery('english', @words) -- :if words
  AND EXISTS (SELECT FROM issue_label AS l WHERE l.tenant_id = i.tenant_id AND l.issue_id = i.id AND l.label_id = @label_id) -- :if label_id
ORDER BY i.created_at DESC, -- :sort i.created_at desc|asc, i.priority asc|desc
  i.id;

-- name: ListAssigned :page
-- List the unfinished issues of a person, with their total number.
SELECT i.id, i.title, p.name AS project
FROM issue AS i
JOIN project AS p ON p.tenant_id = i.tenant_id AND p.id = i.project_id
WHERE sqlc.include(visible, i) AND i.assignee_id = @assignee_id AND i.status <> 'closed'
ORDER BY i.priority, i.id
LIMIT @page_size
OFFSET @skip;

-- name: SearchIssues :many
-- Find issues by words, the best match first.
SELECT
    i.id,
    i.title,
    ts_headline('english', i.body, q.query) AS excerpt,
    ts_rank(sqlc.include(document, i), q.query) AS rank
FROM issue AS i
CROSS JOIN websearch_to_tsquery('english', @words) AS q (query)
WHERE sqlc.include(visible, i) AND sqlc.include(document, i) @@ q.query
ORDER BY rank DESC, i.id
LIMIT @most;

-- name: GetTree :many
-- Read an issue and all issues below it, each after its parent.
WITH RECURSIVE tree AS (
    SELECT i.id, i.parent_id, i.title, 0 AS depth, ARRAY[i.id] AS path
    FROM issue AS i
    WHERE sqlc.include(visible, i) AND i.id = @id
    UNION ALL
    SELECT i.id, i.parent_id, i.title, tree.depth + 1, tree.path || i.id
    FROM issue AS i
    JOIN tree ON tree.id = i.parent_id
    WHERE sqlc.include(visible, i) AND NOT i.id = ANY (tree.path)
)
SELECT id, parent_id, title, depth
FROM tree
ORDER BY path;

-- name: ListAncestors :many
-- List the issues above an issue, the nearest first.
WITH RECURSIVE line AS (
    SELECT i.id, i.parent_id, i.title, ARRAY[i.id] AS path
    FROM issue AS i
    WHERE sqlc.include(visible, i) AND i.id = @id
    UNION ALL
    SELECT i.id, i.parent_id, i.title, line.path || i.id
    FROM issue AS i
    JOIN line ON line.parent_id = i.id
    WHERE sqlc.include(visible, i) AND NOT i.id = ANY (line.path)
)
SELECT id, title
FROM line
WHERE id <> @id
ORDER BY cardinality(path);

-- name: GetDetails :one
-- Read an issue with its labels and with its comments and their attachments.
SELECT
    sqlc.embed(i),
    author.name AS author,
    assignee.name AS assignee,
    sqlc.nest(l) AS labels,
    sqlc.nest(c) AS comments,
    sqlc.nest(a) AS comments.attachments
FROM issue AS i
JOIN person AS author ON author.tenant_id = i.tenant_id AND author.id = i.author_id
LEFT JOIN person AS assignee ON assignee.tenant_id = i.tenant_id AND assignee.id = i.assignee_id
LEFT JOIN issue_label AS il ON il.tenant_id = i.tenant_id AND il.issue_id = i.id
LEFT JOIN label AS l ON l.tenant_id = il.tenant_id AND l.id = il.label_id
LEFT JOIN comment AS c ON c.tenant_id = i.tenant_id AND c.issue_id = i.id
LEFT JOIN attachment AS a ON a.tenant_id = c.tenant_id AND a.comment_id = c.id
WHERE sqlc.include(visible, i) AND i.id = @id
ORDER BY l.name, c.created_at, c.id, a.id;

-- name: GetBoard :many
-- Read the columns of a board with the most urgent issues of each.
SELECT
    i.status,
    count(*) AS issues,
    jsonb_agg(
        jsonb_build_object('id', i.id, 'title', i.title, 'due', i.due, 'assignee', p.name)
        ORDER BY i.priority, i.id
    ) AS cards
FROM issue AS i
LEFT JOIN person AS p ON p.tenant_id = i.tenant_id AND p.id = i.assignee_id
WHERE sqlc.include(visible, i) AND i.project_id = @project_id
GROUP BY i.status
ORDER BY i.status;

-- name: ListOverdue :many
SELECT i.id, i.title, i.due, i.assignee_id
FROM issue AS i
WHERE sqlc.include(visible, i) AND i.status <> 'closed' AND i.due < @today
ORDER BY i.due, i.id;

-- name: ExportIssues :stream
SELECT i.id, i.title, i.status, i.created_at
FROM issue AS i
WHERE sqlc.include(visible, i)
ORDER BY i.id;

-- name: GetStatistics :one
SELECT
    count(*) AS issues,
    count(*) FILTER (WHERE i.status = 'closed') AS closed,
    avg(extract(epoch FROM i.closed_at - i.created_at))::float8 AS seconds_to_close,
    max(i.closed_at) AS last_closed_at
FROM issue AS i
WHERE sqlc.include(visible, i)
  AND i.project_id = @project_id -- :if project_id
;
