-- name: GetIssue :one
SELECT id, title, status FROM issue WHERE id = @id;
-- name: GetIssueByNumber :one
SELECT id, title FROM issue WHERE project_id = @project_id AND number = @number;
-- name: Board :many
SELECT id, title, status, priority FROM issue
WHERE tenant_id = @tenant_id AND status = @status AND deleted_at IS NULL ORDER BY updated_at DESC LIMIT 50;
-- name: BoardOfProject :many
SELECT id, title, status FROM issue WHERE project_id = @project_id AND status IN ('todo', 'doing', 'review') ORDER BY priority, id;
-- name: CountByStatus :many
SELECT status, count(*) AS issues FROM issue WHERE tenant_id = @tenant_id GROUP BY status;
-- name: MyIssues :many
SELECT i.id, i.title, p.key FROM issue i JOIN project p ON p.id = i.project_id
WHERE i.assignee_id = @member_id AND i.status <> 'done' ORDER BY i.due_on;
-- name: Reported :many
SELECT id, title FROM issue WHERE reporter_id = @member_id ORDER BY created_at DESC LIMIT 20;
-- name: DueSoon :many
SELECT id, title, due_on FROM issue
WHERE tenant_id = @tenant_id AND deleted_at IS NULL AND due_on BETWEEN @first AND @last ORDER BY due_on;
-- name: Purgeable :many
SELECT id FROM issue WHERE deleted_at < @before LIMIT 1000;
-- name: ByCustomer :many
SELECT id, title FROM issue WHERE fields @> '{"customer": "customer 19000"}';
-- name: ByFields :many
SELECT id FROM issue WHERE fields @> @wanted::jsonb AND tenant_id = @tenant_id;
-- name: OfSprint :many
SELECT id, title FROM issue WHERE fields ->> 'sprint' = @sprint AND tenant_id = @tenant_id;
-- name: PointsOfSprint :one
SELECT sum((fields ->> 'points')::int) AS points FROM issue WHERE fields ->> 'sprint' = 's399';
-- name: RareStatus :many
SELECT id FROM issue WHERE status = 'review' AND tenant_id = @tenant_id;
-- name: AllInReview :many
SELECT id, tenant_id FROM issue WHERE status = 'review' ORDER BY updated_at LIMIT 100;
-- name: FindMember :many
SELECT id, tenant_id FROM member WHERE lower(email) = lower(@email);
-- name: MemberOfTenant :one
SELECT id, name FROM member WHERE tenant_id = @tenant_id AND email = @email;
-- name: Inactive :many
SELECT id, name FROM member WHERE tenant_id = @tenant_id AND NOT active;
-- name: Owners :many
SELECT m.id, m.email FROM member m JOIN tenant t ON t.id = m.tenant_id WHERE m.role = 'owner' AND t.plan = 'business';
-- name: Thread :many
SELECT c.id, c.body, m.name FROM comment c JOIN member m ON m.id = c.author_id WHERE c.issue_id = @issue_id ORDER BY c.created_at;
-- name: LastComments :many
SELECT id, body FROM comment WHERE author_id = @member_id ORDER BY created_at DESC LIMIT 10;
-- name: CommentsPerIssue :many
SELECT i.id, count(c.id) AS comments FROM issue i LEFT JOIN comment c ON c.issue_id = i.id WHERE i.project_id = @project_id GROUP BY i.id;
-- name: LatestComment :many
SELECT i.id, last.body FROM issue i
CROSS JOIN LATERAL (SELECT c.body FROM comment c WHERE c.issue_id = i.id ORDER BY c.created_at DESC LIMIT 1) last
WHERE i.assignee_id = @member_id;
-- name: Labels :many
SELECT l.name FROM issue_label il JOIN label l ON l.id = il.label_id WHERE il.issue_id = @issue_id;
-- name: WithLabel :many
SELECT i.id, i.title FROM issue_label il JOIN issue i ON i.id = il.issue_id WHERE il.label_id = @label_id AND i.deleted_at IS NULL;
-- name: LabelCounts :many
SELECT l.id, l.name, count(il.issue_id) AS issues FROM label l LEFT JOIN issue_label il ON il.label_id = l.id
WHERE l.tenant_id = @tenant_id GROUP BY l.id, l.name;
-- name: Attachments :many
SELECT id, name, bytes FROM attachment WHERE issue_id = @issue_id;
-- name: SameFile :many
SELECT id, issue_id FROM attachment WHERE checksum = @checksum;
-- name: Storage :many
SELECT i.tenant_id, sum(a.bytes) AS bytes FROM attachment a JOIN issue i ON i.id = a.issue_id GROUP BY i.tenant_id ORDER BY bytes DESC LIMIT 20;
-- name: Feed :many
SELECT id, kind, at FROM activity WHERE tenant_id = @tenant_id AND at >= @since ORDER BY at DESC LIMIT 50;
-- name: FeedOfDay :many
SELECT id, kind FROM activity WHERE tenant_id = @tenant_id AND at >= '2025-03-10' AND at < '2025-03-11';
-- name: History :many
SELECT id, kind, at FROM activity WHERE issue_id = @issue_id ORDER BY at;
-- name: Deletions :one
SELECT count(*) FROM activity WHERE kind = 'delete' AND at >= '2025-06-01' AND at < '2025-07-01';
-- name: BusyTenants :many
SELECT t.id, t.name, count(*) AS changes FROM activity a JOIN tenant t ON t.id = a.tenant_id
WHERE a.at >= '2025-05-01' AND a.at < '2025-06-01' GROUP BY t.id, t.name ORDER BY changes DESC LIMIT 10;
-- name: Search :many
SELECT id, title, status, updated_at FROM issue
WHERE tenant_id = @tenant_id
  AND status = @status -- :if status
  AND assignee_id = @assignee_id -- :if assignee_id
  AND project_id = @project_id -- :if project_id
ORDER BY updated_at DESC -- :sort updated_at, id
LIMIT 50;
-- name: Page :many
SELECT id, title FROM issue WHERE tenant_id = @tenant_id AND id < @before ORDER BY id DESC LIMIT 50;
-- name: Stale :many
SELECT i.id FROM issue i WHERE i.tenant_id = @tenant_id AND i.status = 'doing'
    AND NOT EXISTS (SELECT FROM activity a WHERE a.issue_id = i.id AND a.at >= '2025-06-01');
-- name: Velocity :many
SELECT p.key, count(*) AS finished FROM issue i JOIN project p ON p.id = i.project_id
WHERE i.tenant_id = @tenant_id AND i.status = 'done' AND i.updated_at >= '2024-10-01' GROUP BY p.key;
-- name: TenantsOfPlan :many
SELECT t.id, count(m.id) AS members FROM tenant t JOIN member m ON m.tenant_id = t.id WHERE t.plan = @plan GROUP BY t.id;
-- name: Assign :exec
UPDATE issue SET assignee_id = @assignee_id, updated_at = now() WHERE id = @id;
-- name: CloseSprint :exec
UPDATE issue SET status = 'done' WHERE fields ->> 'sprint' = @sprint AND status = 'review';
-- name: Unassign :exec
UPDATE issue SET assignee_id = NULL WHERE assignee_id = @member_id AND tenant_id = @tenant_id;
-- name: DeleteIssue :exec
DELETE FROM issue WHERE id = @id;
-- name: DeleteMember :exec
DELETE FROM member WHERE id = @id;
-- name: DeleteLabel :exec
DELETE FROM label WHERE id = @id;
-- name: AddComment :exec
INSERT INTO comment (id, tenant_id, issue_id, author_id, body, created_at) VALUES (@id, @tenant_id, @issue_id, @author_id, @body, now());
