"""Queries that stay with one tenant, and queries that may not: as a project would write them."""

SCHEMA = """\
CREATE TABLE country (code text PRIMARY KEY, name text NOT NULL);
CREATE TABLE project (
    id int PRIMARY KEY, tenant_id int NOT NULL, name text NOT NULL,
    country text REFERENCES country, UNIQUE (tenant_id, name)
);
CREATE TABLE issue (
    id int PRIMARY KEY, tenant_id int NOT NULL, title text NOT NULL,
    project_id int NOT NULL REFERENCES project, parent int REFERENCES issue
);
CREATE TABLE comment (
    id int PRIMARY KEY, issue_id int NOT NULL REFERENCES issue, body text NOT NULL
);
CREATE TABLE setting (key text PRIMARY KEY, value text);
CREATE VIEW open_issue AS SELECT id, tenant_id, title FROM issue;
CREATE FUNCTION titles() RETURNS SETOF text LANGUAGE sql STABLE AS 'SELECT title FROM issue';
"""
KEPT = """\
-- name: ListIssues :many
SELECT * FROM issue WHERE tenant_id = @tenant_id;

-- name: IssuesWithProjects :many
SELECT i.id, p.name FROM issue i JOIN project p ON p.id = i.project_id
    AND p.tenant_id = i.tenant_id WHERE i.tenant_id = @tenant_id;

-- name: CommentsOfIssues :many
SELECT c.* FROM comment c JOIN issue i ON i.id = c.issue_id WHERE i.tenant_id = @tenant_id;

-- name: OpenIssues :many
SELECT * FROM open_issue WHERE tenant_id = @tenant_id;

-- name: IssuesByCte :many
WITH x AS (SELECT id, tenant_id FROM issue) SELECT id FROM x WHERE tenant_id = @tenant_id;

-- name: CountedIssues :many
SELECT p.id, (SELECT count(*) FROM issue i WHERE i.project_id = p.id
    AND i.tenant_id = p.tenant_id) FROM project p WHERE p.tenant_id = @tenant_id;

-- name: AddIssue :exec
INSERT INTO issue (id, tenant_id, project_id, title)
    VALUES (@id, @tenant_id, @project_id, @title);

-- name: AddComment :exec
INSERT INTO comment (id, issue_id, body) SELECT @id, i.id, @body FROM issue i
    WHERE i.id = @issue_id AND i.tenant_id = @tenant_id;

-- name: RenameIssue :exec
UPDATE issue SET title = @title WHERE id = @id AND tenant_id = @tenant_id;

-- name: RemoveIssue :exec
DELETE FROM issue WHERE tenant_id = @tenant_id AND id = @id;

-- name: ProjectsWithCountries :many
SELECT p.name, c.name FROM project p LEFT JOIN country c ON c.code = p.country
    WHERE p.tenant_id = @tenant_id;

-- name: PutProject :exec
INSERT INTO project (id, tenant_id, name) VALUES (@id, @tenant_id, @name)
    ON CONFLICT (tenant_id, name) DO UPDATE SET country = NULL;

-- name: IssuesAndProjects :many
SELECT id FROM issue WHERE tenant_id = @tenant_id UNION ALL SELECT id FROM project
    WHERE tenant_id = @tenant_id;

-- name: IssueTree :many
WITH RECURSIVE t AS (SELECT id FROM issue WHERE tenant_id = @tenant_id UNION ALL
    SELECT i.id FROM issue i JOIN t ON i.parent = t.id
    WHERE i.tenant_id = @tenant_id) SELECT id FROM t;

-- name: CountByTenant :many
SELECT tenant_id, count(*) FROM issue WHERE tenant_id = @tenant_id GROUP BY tenant_id;

-- name: ProjectsWithIssues :many
SELECT p.name, i.title FROM project p LEFT JOIN issue i ON i.project_id = p.id
    AND i.tenant_id = @tenant_id WHERE p.tenant_id = @tenant_id;

-- name: RemoveProjects :exec
WITH gone AS (DELETE FROM issue WHERE tenant_id = @tenant_id RETURNING id) DELETE
    FROM project WHERE tenant_id = @tenant_id;

-- name: IssuesOfProjects :many
SELECT i.id FROM issue i WHERE i.tenant_id = @tenant_id AND EXISTS (SELECT 1
    FROM project p WHERE p.id = i.project_id AND p.tenant_id = i.tenant_id);

-- name: FilteredUnion :many
SELECT id FROM (SELECT tenant_id, id, title FROM issue UNION ALL
    SELECT tenant_id, id, name FROM project) q WHERE q.tenant_id = @tenant_id;
"""
LEAKING = {
    "no condition": """\
-- name: Q :many
SELECT * FROM issue;
""",
    "a joined table without one": """\
-- name: Q :many
SELECT i.id, p.name FROM issue i JOIN project p ON p.id = i.project_id
    WHERE i.tenant_id = @tenant_id;
""",
    "a foreign key that is not compared": """\
-- name: Q :many
SELECT c.* FROM comment c JOIN issue i ON i.id <> c.issue_id WHERE i.tenant_id = @tenant_id;
""",
    "a condition beside OR": """\
-- name: Q :many
SELECT id FROM issue WHERE tenant_id = @tenant_id OR id = 3;
""",
    "a subquery in the select list": """\
-- name: Q :many
SELECT p.id, (SELECT count(*) FROM issue i WHERE i.project_id = p.id) FROM project p
    WHERE p.tenant_id = @tenant_id;
""",
    "another value for a new row": """\
-- name: Q :exec
INSERT INTO issue (id, tenant_id, project_id, title)
    VALUES (@id, @other, @project_id, @title);
""",
    "another value for a row": """\
-- name: Q :exec
UPDATE issue SET tenant_id = @other WHERE id = @id AND tenant_id = @tenant_id;
""",
    "a conflict with another tenant": """\
-- name: Q :exec
INSERT INTO project (id, tenant_id, name) VALUES (@id, @tenant_id, @name)
    ON CONFLICT (id) DO UPDATE SET name = 'x';
""",
    "a part of a set operation": """\
-- name: Q :many
SELECT id FROM issue WHERE tenant_id = @tenant_id UNION ALL SELECT id FROM project;
""",
    "a function": """\
-- name: Q :many
SELECT * FROM titles();
""",
    "a window over all tenants": """\
-- name: Q :many
SELECT id FROM (SELECT tenant_id, id, row_number() OVER () AS n FROM issue) q
    WHERE q.tenant_id = @tenant_id;
""",
    "a limit before the condition": """\
-- name: Q :many
SELECT id FROM (SELECT tenant_id, id FROM issue LIMIT 10) q WHERE q.tenant_id = @tenant_id;
""",
    "a condition in ON of the other side": """\
-- name: Q :many
SELECT p.name, i.title FROM project p LEFT JOIN issue i ON i.tenant_id = @tenant_id;
""",
    "an inequality": """\
-- name: Q :many
SELECT id FROM issue WHERE tenant_id <> @tenant_id;
""",
    "a table without the column": """\
-- name: Q :many
SELECT key FROM setting;
""",
    "a new row of a table without the column": """\
-- name: Q :exec
INSERT INTO comment (id, issue_id, body) VALUES (@id, @issue_id, @body);
""",
    "an optional condition": """\
-- name: Q :many
SELECT id FROM issue WHERE id = @id
  AND tenant_id = @tenant_id -- :if tenant_id
;
""",
    "a WITH query that deletes": """\
-- name: Q :exec
WITH gone AS (DELETE FROM issue RETURNING id) SELECT id FROM project
    WHERE tenant_id = @tenant_id;
""",
    "a subquery in WHERE": """\
-- name: Q :many
SELECT i.id FROM issue i WHERE i.tenant_id = @tenant_id AND EXISTS (SELECT 1
    FROM project p WHERE p.id = i.project_id);
""",
    "MERGE": """\
-- name: Q :exec
MERGE INTO issue t USING project p ON t.project_id = p.id WHEN MATCHED THEN DELETE;
""",
    "a function of the server that reads": """\
-- name: Q :many
SELECT query_to_xml('select * from issue', true, true, '') FROM project
    WHERE tenant_id = @tenant_id;
""",
    "TRUNCATE": """\
-- name: Q :exec
TRUNCATE issue;
""",
}
