"""Statements about the table of the tenants, foreign keys with the tenant, conflicts and MERGE."""

SCHEMA = """\
CREATE TABLE org (id int PRIMARY KEY, name text);
CREATE TABLE project (id int PRIMARY KEY, tenant_id int NOT NULL REFERENCES org, name text, n
    int, UNIQUE (tenant_id, id));
CREATE TABLE issue (id int PRIMARY KEY, tenant_id int NOT NULL REFERENCES org, n int, project_id
    int, loose int REFERENCES project, FOREIGN KEY (tenant_id, project_id) REFERENCES project
    (tenant_id, id));
CREATE TABLE maybe (id int PRIMARY KEY, tenant_id int REFERENCES org, project_id int, FOREIGN
    KEY (tenant_id, project_id) REFERENCES project (tenant_id, id));
CREATE TABLE token (id int PRIMARY KEY, "orgId" int NOT NULL REFERENCES org, t text);
CREATE TABLE swap (id int PRIMARY KEY, a int REFERENCES org, b int REFERENCES org);
CREATE TABLE comment (id int PRIMARY KEY, issue_id int NOT NULL REFERENCES issue, n int);
"""
PROVED = """\
SELECT name FROM org WHERE id = @tenant_id;

SELECT t FROM token WHERE "orgId" = @tenant_id;

INSERT INTO token (id, "orgId", t) VALUES (@id, @tenant_id, 'x');

SELECT p.name FROM issue i JOIN project p ON p.id = i.project_id WHERE i.tenant_id =
    @tenant_id;

SELECT i.id FROM project p JOIN issue i ON i.project_id = p.id WHERE p.tenant_id = @tenant_id;

INSERT INTO project (id, tenant_id, name) VALUES (@id, @tenant_id, @name) ON CONFLICT (id) DO
    UPDATE SET name = excluded.name WHERE project.tenant_id = excluded.tenant_id;

INSERT INTO project (id, tenant_id, name) VALUES (@id, @tenant_id, @name) ON CONFLICT (id) DO
    UPDATE SET name = excluded.name, tenant_id = excluded.tenant_id WHERE project.tenant_id =
    @tenant_id;

WITH x AS (SELECT id, tenant_id FROM issue WHERE tenant_id = @tenant_id) INSERT INTO project
    (id, tenant_id) SELECT x.id, x.tenant_id FROM x;

WITH x AS (SELECT id, tenant_id FROM issue WHERE tenant_id = @tenant_id) SELECT p.id FROM
    project p JOIN x ON x.tenant_id = p.tenant_id;

WITH x AS (INSERT INTO project (id, tenant_id) VALUES (1, @tenant_id) RETURNING id, tenant_id)
    INSERT INTO issue (id, tenant_id) SELECT x.id, x.tenant_id FROM x;

WITH x AS (SELECT @tenant_id::int AS t) SELECT p.id FROM project p JOIN x ON p.tenant_id = x.t;

MERGE INTO issue t USING (SELECT id, n FROM project WHERE tenant_id = @tenant_id) s ON t.id =
    s.id AND t.tenant_id = @tenant_id WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED
    THEN INSERT (id, tenant_id, n) VALUES (s.id, @tenant_id, s.n);

MERGE INTO issue t USING project s ON t.id = s.id AND t.tenant_id = @tenant_id AND s.tenant_id
    = @tenant_id WHEN MATCHED THEN DELETE;

MERGE INTO issue t USING project s ON t.id = s.id AND t.tenant_id = @tenant_id WHEN NOT
    MATCHED AND s.tenant_id = @tenant_id THEN INSERT (id, tenant_id, n) VALUES (s.id,
    s.tenant_id, s.n);

MERGE INTO issue t USING (VALUES (@id::int, @n::int)) s (id, n) ON t.id = s.id AND t.tenant_id
    = @tenant_id WHEN MATCHED THEN UPDATE SET n = s.n WHEN NOT MATCHED THEN INSERT (id,
    tenant_id, n) VALUES (s.id, @tenant_id, s.n);

MERGE INTO issue t USING (SELECT id, tenant_id FROM project WHERE tenant_id = @tenant_id) s ON
    t.project_id = s.id AND t.tenant_id = s.tenant_id WHEN NOT MATCHED BY SOURCE AND
    t.tenant_id = @tenant_id THEN DELETE;

MERGE INTO comment t USING issue s ON t.issue_id = s.id AND s.tenant_id = @tenant_id WHEN
    MATCHED THEN UPDATE SET n = 1;
"""
NOT_PROVED = """\
SELECT name FROM org;

SELECT name FROM org WHERE id = @other;

SELECT a FROM swap WHERE a = @tenant_id;

SELECT p.name FROM issue i JOIN project p ON p.id = i.loose WHERE i.tenant_id = @tenant_id;

SELECT p.name FROM issue i JOIN project p ON p.n = i.project_id WHERE i.tenant_id = @tenant_id;

SELECT i.id FROM project p JOIN maybe i ON i.project_id = p.id WHERE p.tenant_id = @other;

INSERT INTO project (id, tenant_id, name) VALUES (@id, @tenant_id, @name) ON CONFLICT (id) DO
    UPDATE SET name = excluded.name WHERE project.name = excluded.name;

INSERT INTO project (id, tenant_id, name) VALUES (@id, @tenant_id, @name) ON CONFLICT (id) DO
    UPDATE SET name = excluded.name WHERE project.tenant_id <> excluded.tenant_id;

INSERT INTO project (id, tenant_id, name) VALUES (@id, @tenant_id, @name) ON CONFLICT (id) DO
    UPDATE SET tenant_id = excluded.tenant_id;

INSERT INTO project (id, tenant_id, name) VALUES (@id, @tenant_id, @name) ON CONFLICT (id) DO
    UPDATE SET tenant_id = excluded.n WHERE project.tenant_id = excluded.tenant_id;

INSERT INTO project (id, tenant_id, name) VALUES (@id, @tenant_id, @name) ON CONFLICT (id) DO
    UPDATE SET name = 'x' WHERE project.tenant_id = excluded.tenant_id OR project.n = 1;

WITH x AS (SELECT i.id, p.tenant_id FROM issue i LEFT JOIN project p ON p.tenant_id =
    @tenant_id AND p.id = i.id WHERE i.tenant_id = @tenant_id) INSERT INTO project (id,
    tenant_id) SELECT x.id, x.tenant_id FROM x;

WITH x AS (SELECT id, n AS tenant_id FROM issue WHERE tenant_id = @tenant_id) SELECT p.id FROM
    project p JOIN x ON x.tenant_id = p.tenant_id;

WITH x AS (SELECT tenant_id FROM issue WHERE tenant_id = @tenant_id UNION ALL SELECT n FROM
    issue WHERE tenant_id = @tenant_id) SELECT p.id FROM project p JOIN x ON x.tenant_id =
    p.tenant_id;

MERGE INTO issue t USING (SELECT id, n FROM project WHERE tenant_id = @tenant_id) s ON t.id =
    s.id WHEN MATCHED THEN UPDATE SET n = s.n;

MERGE INTO issue t USING (SELECT id, n FROM project WHERE tenant_id = @tenant_id) s ON t.id =
    s.id WHEN MATCHED AND t.tenant_id = @tenant_id THEN UPDATE SET n = s.n WHEN NOT MATCHED
    THEN INSERT (id, tenant_id, n) VALUES (s.id, @tenant_id, s.n);

MERGE INTO issue t USING project s ON t.id = s.id AND t.tenant_id = @tenant_id AND s.tenant_id
    = @tenant_id WHEN NOT MATCHED THEN INSERT (id, tenant_id, n) VALUES (s.id, @tenant_id,
    s.n);

MERGE INTO issue t USING (SELECT id, n FROM project WHERE tenant_id = @tenant_id) s ON t.id =
    s.id AND t.tenant_id = @tenant_id WHEN MATCHED THEN UPDATE SET tenant_id = s.n;

MERGE INTO issue t USING (SELECT id, n FROM project WHERE tenant_id = @tenant_id) s ON t.id =
    s.id AND t.tenant_id = @tenant_id WHEN NOT MATCHED THEN INSERT (id, tenant_id, n) VALUES
    (s.id, s.n, s.n);

MERGE INTO issue t USING (SELECT id, tenant_id FROM project WHERE tenant_id = @tenant_id) s ON
    t.project_id = s.id AND t.tenant_id = s.tenant_id WHEN NOT MATCHED BY SOURCE THEN DELETE;

MERGE INTO issue t USING project s ON t.n = s.id AND t.tenant_id = @tenant_id WHEN NOT MATCHED
    BY SOURCE AND t.tenant_id = @tenant_id THEN DELETE;

MERGE INTO issue t USING (SELECT id, n FROM project WHERE tenant_id = @tenant_id) s ON t.id =
    s.id AND t.tenant_id = @tenant_id WHEN MATCHED AND EXISTS (SELECT FROM project q WHERE
    q.id = t.n) THEN UPDATE SET n = s.n;

MERGE INTO issue t USING (SELECT id, n FROM project WHERE tenant_id = @tenant_id) s ON t.id =
    s.id AND t.tenant_id = @tenant_id WHEN MATCHED THEN UPDATE SET n = (SELECT max(n) FROM
    project);

MERGE INTO issue t USING (SELECT id, n FROM project WHERE tenant_id = @tenant_id) s ON t.id =
    s.id AND t.tenant_id = @tenant_id WHEN MATCHED THEN DELETE RETURNING (SELECT max(n) FROM
    project);

MERGE INTO comment t USING issue s ON t.issue_id = s.id AND s.tenant_id = @tenant_id WHEN NOT
    MATCHED THEN INSERT (id, issue_id) VALUES (1, s.id);
"""
TRUSTED = """\
SELECT p.name FROM issue i JOIN project p ON p.id = i.loose WHERE i.tenant_id = @tenant_id;

SELECT p.name FROM issue i JOIN project p ON i.loose = p.id WHERE p.tenant_id = @tenant_id;
"""
