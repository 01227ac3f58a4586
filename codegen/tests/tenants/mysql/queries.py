"""Queries of MySQL and MariaDB that stay with one tenant, and queries that may not."""

SCHEMA = """\
CREATE TABLE country (code varchar(9) PRIMARY KEY, name varchar(99) NOT NULL);
CREATE TABLE project (
    id int PRIMARY KEY, tenant_id int NOT NULL, name varchar(99) NOT NULL, country varchar(9),
    n int, UNIQUE (tenant_id, name), UNIQUE (tenant_id, id), FOREIGN KEY (country) REFERENCES
    country (code)
);
CREATE TABLE issue (
    id int PRIMARY KEY, tenant_id int NOT NULL, title varchar(99) NOT NULL,
    project_id int NOT NULL, parent int, FOREIGN KEY (project_id) REFERENCES project (id)
);
CREATE TABLE comment (
    id int PRIMARY KEY, issue_id int NOT NULL, body varchar(99) NOT NULL,
    FOREIGN KEY (issue_id) REFERENCES issue (id)
);
CREATE TABLE entry (
    tenant_id int NOT NULL, id int, n int NOT NULL, project_id int, PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, project_id) REFERENCES project (tenant_id, id)
);
CREATE TABLE spare (id int PRIMARY KEY, tenant_id bigint, n int);
CREATE TABLE setting (k varchar(9) PRIMARY KEY, value text);
CREATE TABLE counter (id int PRIMARY KEY AUTO_INCREMENT, tenant_id int NOT NULL, k int, v int,
    UNIQUE (tenant_id, k));
CREATE TABLE made (owner int, tenant_id int AS (owner DIV 10) STORED);
CREATE TABLE watched (id int, tenant_id int NOT NULL);
CREATE TABLE checked (id int, tenant_id int NOT NULL);
CREATE TRIGGER moving BEFORE UPDATE ON watched FOR EACH ROW SET NEW.tenant_id = 2;
CREATE TRIGGER counting BEFORE INSERT ON checked FOR EACH ROW SET NEW.id = NEW.id + 1;
CREATE VIEW open_issue AS SELECT id, tenant_id, title FROM issue;
CREATE VIEW both_kinds AS SELECT id, tenant_id, name FROM project UNION ALL
    SELECT id, tenant_id, title FROM issue;
CREATE VIEW cut AS SELECT id, tenant_id FROM issue ORDER BY id LIMIT 10;
CREATE VIEW named_open AS SELECT o.id, o.tenant_id, p.name FROM open_issue o JOIN project p
    ON p.tenant_id = o.tenant_id AND p.id = o.id;
CREATE FUNCTION titles() RETURNS int READS SQL DATA RETURN (SELECT count(*) FROM issue);
CREATE FUNCTION twice(n int) RETURNS int DETERMINISTIC RETURN n * 2;
"""
PROVED = """\
SELECT * FROM issue WHERE tenant_id = @tenant_id;

SELECT STRAIGHT_JOIN SQL_NO_CACHE HIGH_PRIORITY id FROM issue WHERE tenant_id = @tenant_id;

SELECT j.x FROM issue i, JSON_TABLE(i.title, '$[*]' COLUMNS (x int PATH '$')) j
    WHERE i.tenant_id = @tenant_id;

SELECT * FROM issue WHERE @tenant_id = tenant_id AND id > 3 ORDER BY id LIMIT 3;

SELECT i.id, p.name FROM issue i JOIN project p ON p.id = i.project_id
    AND p.tenant_id = i.tenant_id WHERE i.tenant_id = @tenant_id;

SELECT i.id FROM issue i, project p WHERE i.tenant_id = @tenant_id AND
    p.tenant_id = i.tenant_id;

SELECT i.id FROM issue i JOIN project p USING (tenant_id) WHERE i.tenant_id = @tenant_id;

SELECT c.* FROM comment c JOIN issue i ON i.id = c.issue_id WHERE i.tenant_id = @tenant_id;

SELECT * FROM open_issue WHERE tenant_id = @tenant_id;

SELECT * FROM named_open WHERE tenant_id = @tenant_id;

SELECT * FROM both_kinds WHERE tenant_id = @tenant_id;

WITH x AS (SELECT id, tenant_id FROM issue) SELECT id FROM x WHERE tenant_id = @tenant_id;

WITH x AS (SELECT id, tenant_id FROM issue WHERE tenant_id = @tenant_id) SELECT p.id FROM
    project p JOIN x ON x.tenant_id = p.tenant_id;

SELECT p.id, (SELECT count(*) FROM issue i WHERE i.project_id = p.id
    AND i.tenant_id = p.tenant_id) FROM project p WHERE p.tenant_id = @tenant_id;

INSERT INTO issue (id, tenant_id, project_id, title)
    VALUES (@id, @tenant_id, @project_id, @title);

INSERT INTO entry VALUES (@tenant_id, @id, 1, NULL), (@tenant_id, 2, 2, NULL);

INSERT INTO entry SET tenant_id = @tenant_id, id = @id, n = 1;

INSERT IGNORE INTO spare (id, tenant_id) SELECT id, tenant_id FROM issue
    WHERE tenant_id = @tenant_id;

INSERT INTO comment (id, issue_id, body) SELECT @id, i.id, 'x' FROM issue i
    WHERE i.id = @issue_id AND i.tenant_id = @tenant_id;

UPDATE issue SET title = @title WHERE id = @id AND tenant_id = @tenant_id;

UPDATE issue SET tenant_id = @tenant_id WHERE id = @id AND tenant_id = @tenant_id;

UPDATE issue i JOIN project p ON p.id = i.project_id SET i.title = p.name, p.name = 'x'
    WHERE i.tenant_id = @tenant_id AND p.tenant_id = @tenant_id;

UPDATE comment c JOIN issue i ON i.id = c.issue_id SET c.body = 'x'
    WHERE i.tenant_id = @tenant_id;

DELETE FROM issue WHERE tenant_id = @tenant_id AND id = @id;

DELETE i, p FROM issue i JOIN project p ON p.id = i.project_id
    WHERE i.tenant_id = @tenant_id AND p.tenant_id = @tenant_id;

DELETE FROM c USING comment c JOIN issue i ON i.id = c.issue_id
    WHERE i.tenant_id = @tenant_id;

DELETE FROM i, p USING issue i JOIN project p ON p.id = i.project_id
    WHERE i.tenant_id = @tenant_id AND p.tenant_id = @tenant_id;

DELETE FROM issue WHERE tenant_id = @tenant_id AND project_id IN
    (SELECT p.id FROM project p WHERE p.tenant_id = @tenant_id);

SELECT p.name, c.name FROM project p LEFT JOIN country c ON c.code = p.country
    WHERE p.tenant_id = @tenant_id;

INSERT INTO entry (tenant_id, id, n) VALUES (@tenant_id, @id, @n)
    ON DUPLICATE KEY UPDATE n = VALUES(n);

INSERT INTO project (id, tenant_id, name, n) VALUES (@id, @tenant_id, @name, 1)
    ON DUPLICATE KEY UPDATE n = IF(tenant_id = VALUES(tenant_id), VALUES(n), n),
    name = IF(tenant_id = VALUES(tenant_id), VALUES(name), name);

INSERT INTO counter (tenant_id, k, v) VALUES (@tenant_id, 1, 1)
    ON DUPLICATE KEY UPDATE v = IF(tenant_id = @tenant_id, v + 1, v);

REPLACE INTO entry (tenant_id, id, n) VALUES (@tenant_id, @id, @n);

SELECT id FROM issue WHERE tenant_id = @tenant_id UNION ALL SELECT id FROM project
    WHERE tenant_id = @tenant_id;

WITH RECURSIVE t AS (SELECT id FROM issue WHERE tenant_id = @tenant_id UNION ALL
    SELECT i.id FROM issue i JOIN t ON i.parent = t.id
    WHERE i.tenant_id = @tenant_id) SELECT id FROM t;

SELECT tenant_id, count(*) FROM issue WHERE tenant_id = @tenant_id GROUP BY tenant_id;

SELECT p.name, i.title FROM project p LEFT JOIN issue i ON i.project_id = p.id
    AND i.tenant_id = @tenant_id WHERE p.tenant_id = @tenant_id;

SELECT i.id FROM issue i WHERE i.tenant_id = @tenant_id AND EXISTS (SELECT 1
    FROM project p WHERE p.id = i.project_id AND p.tenant_id = i.tenant_id);

SELECT id FROM (SELECT tenant_id, id, title FROM issue UNION ALL
    SELECT tenant_id, id, name FROM project) q WHERE q.tenant_id = @tenant_id;

SELECT i.id, (SELECT count(*) FROM comment c WHERE c.issue_id = i.id) FROM issue i
    WHERE i.tenant_id = @tenant_id;

SELECT q.n FROM (SELECT tenant_id, count(*) AS n FROM issue GROUP BY tenant_id) q
    WHERE q.tenant_id = @tenant_id;

SELECT e.n, p.name FROM entry e JOIN project p ON p.id = e.project_id
    WHERE e.tenant_id = @tenant_id;

UPDATE comment c JOIN issue i ON i.id = c.issue_id JOIN issue j ON j.id = @issue_id
    SET c.issue_id = j.id WHERE i.tenant_id = @tenant_id AND j.tenant_id = @tenant_id;

SELECT i.id FROM issue i JOIN (project p JOIN country c ON c.code = p.country)
    ON p.id = i.project_id WHERE i.tenant_id = @tenant_id AND p.tenant_id = @tenant_id;

INSERT INTO checked (id, tenant_id) VALUES (1, @tenant_id);

SELECT twice(id) FROM issue WHERE tenant_id = @tenant_id;

SELECT id FROM issue WHERE tenant_id = @tenant_id FOR UPDATE;

SELECT id FROM issue WHERE (tenant_id, id) = (@tenant_id, @id);

(SELECT id FROM issue WHERE tenant_id = @tenant_id ORDER BY id LIMIT 1) ORDER BY 1 LIMIT 1;
"""
NOT_PROVED = """\
SELECT * FROM issue;

SELECT i.id, p.name FROM issue i JOIN project p ON p.id = i.project_id
    WHERE i.tenant_id = @tenant_id;

SELECT c.* FROM comment c JOIN issue i ON i.id <> c.issue_id WHERE i.tenant_id = @tenant_id;

SELECT id FROM issue WHERE tenant_id = @tenant_id OR id = 3;

SELECT id FROM issue WHERE tenant_id = @tenant_id || id = 3;

SELECT id FROM issue WHERE tenant_id <=> @tenant_id;

SELECT id FROM issue WHERE NOT tenant_id = @tenant_id;

SELECT id FROM issue WHERE tenant_id = @tenant_id = id;

SELECT id FROM issue WHERE id = tenant_id = @tenant_id;

SELECT id FROM issue WHERE id XOR tenant_id = @tenant_id;

SELECT id FROM issue WHERE id XOR id > 3 AND tenant_id = @tenant_id;

SELECT id FROM issue WHERE tenant_id = @tenant_id IS NOT NULL;

SELECT id FROM issue WHERE tenant_id = '1x';

SELECT id FROM issue WHERE tenant_id = CONCAT(@tenant_id, '');

SELECT id FROM issue WHERE title = @tenant_id;

SELECT id FROM issue WHERE tenant_id LIKE @tenant_id;

SELECT id FROM issue WHERE tenant_id BETWEEN @tenant_id AND @tenant_id;

SELECT id FROM issue WHERE tenant_id IN (@tenant_id, 2);

SELECT id FROM issue WHERE tenant_id IN (sqlc.slice(tenants));

SELECT p.id, (SELECT count(*) FROM issue i WHERE i.project_id = p.id) FROM project p
    WHERE p.tenant_id = @tenant_id;

SELECT id FROM issue WHERE tenant_id = @tenant_id ORDER BY (SELECT max(id) FROM project);

SELECT id, count(*) FROM issue WHERE tenant_id = @tenant_id GROUP BY id
    HAVING count(*) > (SELECT count(*) FROM project);

SELECT i.id FROM issue i JOIN project p ON p.tenant_id = @tenant_id AND p.id IN
    (SELECT id FROM project) WHERE i.tenant_id = @tenant_id;

SELECT i.id, count(*) FROM issue i WHERE i.tenant_id = @tenant_id GROUP BY i.id, i.tenant_id
    HAVING EXISTS (SELECT 1 FROM project p WHERE p.tenant_id = i.tenant_id);

SELECT * FROM cut WHERE tenant_id = @tenant_id;

SELECT i.id FROM issue i JOIN project p USING (id) WHERE i.tenant_id = @tenant_id;

SELECT q.id FROM (SELECT id, tenant_id FROM project GROUP BY id) q
    WHERE q.tenant_id = @tenant_id;

SELECT q.id FROM (SELECT min(id) AS id, max(tenant_id) AS tenant_id FROM project) q
    WHERE q.tenant_id = @tenant_id;

SELECT q.id FROM (SELECT id, tenant_id FROM project LIMIT 3) q WHERE q.tenant_id = @tenant_id;

SELECT q.id FROM (SELECT id, tenant_id, row_number() OVER () AS n FROM issue) q
    WHERE q.tenant_id = @tenant_id;

SELECT q.tenant_id FROM (SELECT tenant_id, count(*) FROM project GROUP BY tenant_id WITH ROLLUP) q
    WHERE q.tenant_id = @tenant_id;

SELECT p.name, i.title FROM project p LEFT JOIN issue i ON i.tenant_id = @tenant_id;

SELECT p.name FROM project p LEFT JOIN issue i ON i.tenant_id = @tenant_id
    AND p.tenant_id = @tenant_id;

SELECT k FROM setting;

INSERT INTO issue (id, tenant_id, project_id, title)
    VALUES (@id, @other, @project_id, @tenant_id);

INSERT INTO issue (id, tenant_id, project_id, title)
    VALUES (1, @tenant_id, 1, 'x'), (2, 2, 1, 'x');

INSERT INTO spare (id) VALUES (@tenant_id);

INSERT INTO spare (id, tenant_id) VALUES (@tenant_id, DEFAULT);

INSERT IGNORE INTO entry (id, tenant_id, n) VALUES (1, @tenant_id, 1);

INSERT INTO comment (id, issue_id, body) VALUES (@tenant_id, @issue_id, 'x');

INSERT INTO entry (tenant_id, id, n) SELECT id, id, 1 FROM issue WHERE tenant_id = @tenant_id;

INSERT INTO entry (tenant_id, id, n) SELECT @tenant_id, id, n FROM project;

INSERT INTO entry (tenant_id, id, n) VALUES (@tenant_id, (SELECT max(id) FROM project), 1);

UPDATE issue SET tenant_id = @other WHERE id = @id AND tenant_id = @tenant_id;

UPDATE issue SET tenant_id = id WHERE tenant_id = @tenant_id;

UPDATE issue SET parent = 7, tenant_id = parent WHERE parent = @tenant_id
    AND tenant_id = @tenant_id;

UPDATE issue SET tenant_id = 2, tenant_id = tenant_id WHERE tenant_id = @tenant_id;

DELETE FROM i, p USING issue i JOIN project p ON p.id = i.project_id
    WHERE i.tenant_id = @tenant_id;

UPDATE issue i JOIN project p ON p.id = i.project_id SET p.name = 'x'
    WHERE i.tenant_id = @tenant_id;

UPDATE issue i, project p SET i.title = 'x', p.name = 'y' WHERE i.tenant_id = @tenant_id;

UPDATE project SET n = (SELECT count(*) FROM issue) WHERE tenant_id = @tenant_id;

UPDATE comment c JOIN issue i ON i.id = c.issue_id SET c.issue_id = @other
    WHERE i.tenant_id = @tenant_id;

UPDATE made SET owner = @owner WHERE tenant_id = @tenant_id;

UPDATE open_issue SET title = 'x' WHERE tenant_id = @tenant_id;

UPDATE country c JOIN project p ON p.country = c.code SET c.name = 'x'
    WHERE p.tenant_id = @tenant_id;

UPDATE watched SET id = 1 WHERE tenant_id = @tenant_id;

DELETE FROM issue WHERE id = @tenant_id;

DELETE i, p FROM issue i JOIN project p ON p.id = i.project_id WHERE i.tenant_id = @tenant_id;

DELETE FROM p USING issue i JOIN project p ON p.id = i.project_id WHERE i.tenant_id = @tenant_id;

DELETE FROM issue ORDER BY tenant_id = @tenant_id LIMIT 1;

INSERT INTO project (id, tenant_id, name) VALUES (@id, @tenant_id, @name)
    ON DUPLICATE KEY UPDATE name = VALUES(name);

INSERT INTO counter (tenant_id, k, v) VALUES (@tenant_id, 1, 1) ON DUPLICATE KEY UPDATE v = v + 1;

INSERT INTO project (id, tenant_id, name, n) VALUES (@id, @tenant_id, @name, 1)
    ON DUPLICATE KEY UPDATE n = IF(tenant_id = VALUES(tenant_id), 1, n), name = 'x';

INSERT INTO project (id, tenant_id, name, n) VALUES (@id, @tenant_id, @name, 1)
    ON DUPLICATE KEY UPDATE n = IF(n = VALUES(n), 1, n);

INSERT INTO project (id, tenant_id, name, n) VALUES (@id, @tenant_id, @name, 1)
    ON DUPLICATE KEY UPDATE n = IF(tenant_id = VALUES(tenant_id), 1, id);

INSERT INTO project (id, tenant_id, name, n) VALUES (@id, @tenant_id, @name, 1)
    ON DUPLICATE KEY UPDATE tenant_id = IF(tenant_id = VALUES(tenant_id), 7, tenant_id);

INSERT INTO entry (tenant_id, id, n) VALUES (@tenant_id, @id, @n)
    ON DUPLICATE KEY UPDATE tenant_id = VALUES(n);

INSERT INTO entry (tenant_id, id, n) VALUES (@tenant_id, @id, @n)
    ON DUPLICATE KEY UPDATE n = (SELECT max(n) FROM project);

REPLACE INTO project (id, tenant_id, name) VALUES (@id, @tenant_id, @name);

SELECT id FROM issue WHERE tenant_id = @tenant_id UNION ALL SELECT id FROM project;

SELECT titles() FROM issue WHERE tenant_id = @tenant_id;

SELECT table_name FROM information_schema.tables;

TRUNCATE issue;

SHOW TABLES;

SELECT p.id FROM entry e JOIN project p ON p.n = e.project_id WHERE e.tenant_id = @tenant_id;

WITH x AS (SELECT id FROM project), y AS (SELECT id, tenant_id FROM issue) SELECT id FROM y
    WHERE tenant_id = @tenant_id;

SELECT SQL_CALC_FOUND_ROWS id FROM issue WHERE tenant_id = @tenant_id;

SELECT j.x FROM issue i, JSON_TABLE(i.title, '$[*]' COLUMNS (x int PATH '$')) j;

SELECT j.x FROM issue i, JSON_TABLE((SELECT max(p.name) FROM project p), '$[*]'
    COLUMNS (x int PATH '$')) j WHERE i.tenant_id = @tenant_id;

SELECT z.tenant_id FROM (SELECT 2 AS tenant_id) z WHERE EXISTS (SELECT 1 FROM JSON_TABLE(
    (SELECT max(p.name) FROM project p WHERE p.tenant_id = z.tenant_id), '$[*]'
    COLUMNS (x int PATH '$')) j, issue z WHERE z.tenant_id = @tenant_id);

WITH Project AS (SELECT code AS id FROM country) SELECT id FROM project;

SELECT a.id, (SELECT group_concat(A.name) FROM project A WHERE a.tenant_id = @tenant_id)
    FROM issue a WHERE a.tenant_id = @tenant_id;

SELECT a.id FROM issue a WHERE a.tenant_id = @tenant_id
    AND EXISTS (SELECT 1 FROM project A WHERE a.tenant_id = @tenant_id AND A.id = 3);

DELETE FROM issue WHERE tenant_id = @tenant_id AND EXISTS (SELECT 1 FROM country c
    JOIN country d ON tenant_id = @tenant_id JOIN project p ON p.id = 3);

SELECT p.id FROM issue p WHERE p.tenant_id = @tenant_id AND EXISTS (SELECT 1 FROM country c
    JOIN country d ON p.tenant_id = @tenant_id JOIN project p ON p.id = 3);

SELECT p.id FROM issue p WHERE p.tenant_id = @tenant_id AND EXISTS (SELECT 1 FROM country c
    JOIN country d ON p.tenant_id = @tenant_id, project p);

SELECT p.id FROM issue p WHERE p.tenant_id = @tenant_id AND EXISTS (SELECT 1 FROM
    (country c JOIN country d ON p.tenant_id = @tenant_id), project p);

SELECT p.id FROM issue p WHERE p.tenant_id = @tenant_id AND EXISTS (SELECT 1 FROM country c
    JOIN country d ON (SELECT p.tenant_id) = @tenant_id JOIN project p ON p.id = 3);
"""
