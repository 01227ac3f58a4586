"""Queries that access one tenant, and queries that may not, as a project would write them."""

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

-- name: CountedComments :many
SELECT i.id, (SELECT count(*) FROM comment c WHERE c.issue_id = i.id) FROM issue i
    WHERE i.tenant_id = @tenant_id;

-- name: CountedByTenant :many
SELECT p.tenant_id, (SELECT count(*) FROM issue i WHERE i.tenant_id = p.tenant_id)
    FROM project p WHERE p.tenant_id = @tenant_id GROUP BY p.tenant_id;

-- name: MoveComment :exec
UPDATE comment c SET issue_id = j.id FROM issue i, issue j WHERE i.id = c.issue_id
    AND i.tenant_id = @tenant_id AND j.tenant_id = @tenant_id AND j.id = @issue_id;
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
    "another column as the tenant": """\
-- name: Q :exec
UPDATE issue SET tenant_id = id WHERE tenant_id = @tenant_id;
""",
    "a row that is given to another tenant's": """\
-- name: Q :exec
UPDATE comment c SET issue_id = @other FROM issue i WHERE i.id = c.issue_id
    AND i.tenant_id = @tenant_id;
""",
    "a conflict with another tenant's comment": """\
-- name: Q :exec
INSERT INTO comment (id, issue_id, body) SELECT @id, i.id, 'x' FROM issue i
    WHERE i.tenant_id = @tenant_id ON CONFLICT (id) DO UPDATE SET body = 'y';
""",
    "a shared row that is deleted": """\
-- name: Q :exec
DELETE FROM country c USING project p WHERE p.country = c.code AND p.tenant_id = @tenant_id;
""",
    "a sample of all rows": """\
-- name: Q :many
SELECT id FROM issue TABLESAMPLE SYSTEM (50) REPEATABLE (1) WHERE tenant_id = @tenant_id;
""",
    "a returned row's new value, compared when it was old": """\
-- name: Q :many
UPDATE issue i SET project_id = @other WHERE i.tenant_id = @tenant_id
    AND i.project_id = @tenant_id RETURNING (SELECT count(*) FROM project p
    WHERE p.tenant_id = i.project_id);
""",
    "what other sessions run": """\
-- name: Q :many
SELECT a.query FROM pg_stat_get_activity(NULL) a;
""",
}
_PERSON = """\
CREATE TABLE person (id int PRIMARY KEY, name text);
ALTER TABLE issue ADD assignee int REFERENCES person;
ALTER TABLE comment ADD author int REFERENCES person;
"""
_COUNTS = """\
CREATE FUNCTION counts(int, int) RETURNS int LANGUAGE sql STABLE
    AS 'SELECT count(*)::int FROM issue';
CREATE AGGREGATE total(int) (sfunc = counts, stype = int, initcond = '0');
"""
_WORK = """\
CREATE FUNCTION work() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN NEW.tenant_id := 2; RETURN NEW; END';
"""
_MOVED = f"""\
{_WORK}
CREATE TRIGGER work BEFORE INSERT OR UPDATE ON issue FOR EACH ROW EXECUTE FUNCTION work();
"""
# By a schema of its own, beside the one above.
LEAKING_BESIDE = {
    "a row that other tenants refer to, written": (
        _PERSON,
        """\
-- name: Q :exec
UPDATE person a SET name = 'x' FROM issue i WHERE a.id = i.assignee AND i.tenant_id = @tenant_id;
""",
    ),
    "a row that refers to what other tenants refer to": (
        _PERSON,
        """\
-- name: Q :many
SELECT c.body FROM issue i JOIN person a ON a.id = i.assignee JOIN comment c ON c.author = a.id
    WHERE i.tenant_id = @tenant_id;
""",
    ),
    "a new row that refers to what other tenants refer to": (
        _PERSON,
        """\
-- name: Q :exec
INSERT INTO comment (id, issue_id, author, body) SELECT @id::int, @issue_id::int, a.id, 'x'
    FROM issue i JOIN person a ON a.id = i.assignee WHERE i.tenant_id = @tenant_id;
""",
    ),
    "a rule that writes more": (
        "CREATE RULE more AS ON UPDATE TO issue DO ALSO DELETE FROM project;",
        """\
-- name: Q :exec
UPDATE issue SET title = 'x' WHERE tenant_id = @tenant_id;
""",
    ),
    "a materialized view": (
        "CREATE MATERIALIZED VIEW sums AS SELECT tenant_id, count(*) OVER () AS n FROM issue;",
        """\
-- name: Q :many
SELECT n FROM sums WHERE tenant_id = @tenant_id;
""",
    ),
    "an aggregate that reads": (
        _COUNTS,
        """\
-- name: Q :many
SELECT total(id) FROM issue WHERE tenant_id = @tenant_id;
""",
    ),
    "a window over an aggregate that reads": (
        _COUNTS,
        """\
-- name: Q :many
SELECT total(id) OVER () FROM issue WHERE tenant_id = @tenant_id;
""",
    ),
    "a generated tenant": (
        "CREATE TABLE made (owner int, tenant_id int GENERATED ALWAYS AS (owner / 10) STORED);",
        """\
-- name: Q :exec
UPDATE made SET owner = @owner WHERE tenant_id = @tenant_id;
""",
    ),
    "a child that repeats a key of its parent": (
        "CREATE TABLE old_issue () INHERITS (issue);",
        """\
-- name: Q :many
SELECT c.body FROM comment c JOIN issue i ON i.id = c.issue_id WHERE i.tenant_id = @tenant_id;
""",
    ),
    "a child without the foreign key": (
        "CREATE TABLE old_comment () INHERITS (comment);",
        """\
-- name: Q :many
SELECT c.body FROM comment c JOIN issue i ON i.id = c.issue_id WHERE i.tenant_id = @tenant_id;
""",
    ),
    "a generated foreign key, computed again": (
        """\
CREATE TABLE note (id int, issue int, issue_id int GENERATED ALWAYS AS (issue) STORED
    REFERENCES issue);
""",
        """\
-- name: Q :exec
UPDATE note n SET issue = @other FROM issue i WHERE i.id = n.issue_id
    AND i.tenant_id = @tenant_id;
""",
    ),
    "a shared table with a child of the tenants": (
        "CREATE TABLE own_country (tenant_id int) INHERITS (country);",
        """\
-- name: Q :many
SELECT name FROM country;
""",
    ),
    "a row for a view whose trigger writes": (
        _WORK
        + """\
CREATE TRIGGER work INSTEAD OF INSERT ON open_issue FOR EACH ROW EXECUTE FUNCTION work();
""",
        """\
-- name: Q :exec
INSERT INTO open_issue (id, tenant_id, title) VALUES (@id, @tenant_id, 'x');
""",
    ),
    "a new row that a trigger changes": (
        _MOVED,
        """\
-- name: Q :many
WITH x AS (INSERT INTO issue (id, tenant_id, project_id, title) VALUES (@id, @tenant_id, 1, 'x')
    RETURNING tenant_id) SELECT p.id FROM project p JOIN x ON p.tenant_id = x.tenant_id;
""",
    ),
    "an updated row that a trigger changes": (
        _MOVED,
        """\
-- name: Q :many
WITH x AS (UPDATE issue SET title = 'x' WHERE tenant_id = @tenant_id RETURNING tenant_id)
    SELECT p.id FROM project p JOIN x ON p.tenant_id = x.tenant_id;
""",
    ),
    "an updated row that a trigger changes, beside a subquery": (
        _MOVED,
        """\
-- name: Q :many
UPDATE issue i SET title = 'x' WHERE i.tenant_id = @tenant_id
    RETURNING (SELECT count(*) FROM project p WHERE p.tenant_id = i.tenant_id);
""",
    ),
    "locks on the rows of all tenants": (
        "",
        """\
-- name: Q :many
SELECT s.id FROM (SELECT id, tenant_id FROM issue FOR UPDATE) s
    WHERE s.tenant_id = @tenant_id;
""",
    ),
    "a foreign key that is not checked": (
        "ALTER TABLE comment DISABLE TRIGGER ALL;",
        """\
-- name: Q :many
SELECT c.body FROM comment c JOIN issue i ON i.id = c.issue_id WHERE i.tenant_id = @tenant_id;
""",
    ),
    "a key that is unique by an operator of its own": (
        """\
CREATE FUNCTION odd(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
CREATE FUNCTION never(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT false';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = never);
CREATE OPERATOR CLASS odd_ops FOR TYPE int USING btree AS OPERATOR 3 ===, FUNCTION 1 odd(int, int);
CREATE TABLE label (id int, tenant_id int, UNIQUE (tenant_id, id));
CREATE UNIQUE INDEX label_id ON label (id odd_ops);
CREATE TABLE mark (tenant_id int NOT NULL, label_id int,
    FOREIGN KEY (tenant_id, label_id) REFERENCES label (tenant_id, id));
""",
        """\
-- name: Q :many
SELECT l.id FROM mark m JOIN label l ON l.id = m.label_id WHERE m.tenant_id = @tenant_id;
""",
    ),
    "a foreign key that ignores case, beside a key that does not": (
        """\
CREATE TYPE folded;
CREATE FUNCTION folded_in(cstring) RETURNS folded LANGUAGE internal IMMUTABLE STRICT AS 'textin';
CREATE FUNCTION folded_out(folded) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
CREATE TYPE folded (INPUT = folded_in, OUTPUT = folded_out, LIKE = text, COLLATABLE = true);
CREATE CAST (folded AS text) WITHOUT FUNCTION AS IMPLICIT;
CREATE FUNCTION same(folded, folded) RETURNS bool LANGUAGE sql IMMUTABLE
    AS 'SELECT lower($1::text) = lower($2::text)';
CREATE FUNCTION compare(folded, folded) RETURNS int LANGUAGE sql IMMUTABLE
    AS 'SELECT bttextcmp(lower($1::text), lower($2::text))';
CREATE OPERATOR = (LEFTARG = folded, RIGHTARG = folded, FUNCTION = same);
CREATE OPERATOR CLASS folded_ops DEFAULT FOR TYPE folded USING btree
    AS OPERATOR 3 =, FUNCTION 1 compare(folded, folded);
CREATE TABLE tag (id int, tenant_id int, code folded, UNIQUE (tenant_id, code));
CREATE UNIQUE INDEX tag_code ON tag (code text_ops);
CREATE TABLE mark (tenant_id int NOT NULL, code folded,
    FOREIGN KEY (tenant_id, code) REFERENCES tag (tenant_id, code));
""",
        """\
-- name: Q :many
SELECT t.id FROM mark m JOIN tag t ON t.code::text = m.code::text
    WHERE m.tenant_id = @tenant_id;
""",
    ),
    "a foreign key of one column twice": (
        """\
CREATE TABLE cell (tenant_id int, x int, y int, UNIQUE (x, y));
CREATE TABLE mark (at int, FOREIGN KEY (at, at) REFERENCES cell (x, y));
""",
        """\
-- name: Q :many
SELECT m.at FROM mark m JOIN cell c ON c.y = m.at WHERE c.tenant_id = @tenant_id;
""",
    ),
}
# Its collation may hold unequal tenants to be equal.
FOLDED_SCHEMA = "CREATE TABLE named (id int, tenant_id text UNIQUE);"
FOLDED = """\
-- name: Q :exec
INSERT INTO named (tenant_id, id) VALUES (@tenant_id, 1) ON CONFLICT (tenant_id)
    DO UPDATE SET id = 2;
"""
