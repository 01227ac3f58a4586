-- MariaDB: a case for each premise, in which rows refute what is claimed without it.

CREATE TABLE a (id int PRIMARY KEY, name varchar(20) NOT NULL, bio varchar(20), n int);
CREATE TABLE b (id int PRIMARY KEY, aid int, x int NOT NULL);
CREATE TABLE two (x int, y int, PRIMARY KEY (x, y));
CREATE TABLE code (c varchar(9) PRIMARY KEY);
CREATE TABLE d (id int PRIMARY KEY, at datetime NOT NULL, ip inet6, own inet6 NOT NULL);
CREATE TABLE k (aid int, n int NOT NULL);
CREATE TABLE past (id int PRIMARY KEY, x int NOT NULL) WITH SYSTEM VERSIONING;
CREATE VIEW v_two AS SELECT y, x FROM two;
CREATE VIEW v_code AS SELECT c FROM code;
INSERT INTO a VALUES (1, 'x', NULL, NULL), (2, 'y', NULL, 0);
INSERT INTO b VALUES (1, NULL, 5), (2, 2, 6);
INSERT INTO two VALUES (1, 1), (1, 2);
INSERT INTO code VALUES ('1'), ('1.0');
INSERT INTO d VALUES (1, '9999-12-31 23:59:59', NULL, '::1');
INSERT INTO k VALUES (NULL, 1), (2, 2);
INSERT INTO past VALUES (1, 1);
UPDATE past SET x = 2;
SET sql_mode = '';

-- refutes: expression / the row is not a super-aggregate row of ROLLUP
-- case: NULL in c
SELECT UPPER('x') AS c, COUNT(*) AS n FROM a GROUP BY c WITH ROLLUP;

-- refutes: expression / the expression is evaluated for a row
-- case: NULL in c
SELECT (SELECT COUNT(*) FROM b WHERE b.id = a.id) AS c, COUNT(*) AS n FROM a, b WHERE a.id = 9;

-- refutes: expression / no value is converted to another type
-- case: NULL in c
SELECT COALESCE(ip, 'bad') AS c FROM d;

-- refutes: column / the column is declared NOT NULL
-- case: NULL in c
SELECT bio AS c FROM a;

-- refutes: column / every outer join found a match
-- case: NULL in c
SELECT b.x AS c FROM a LEFT JOIN b ON b.aid = a.id;

-- refutes: column / a row of the table was read
-- case: NULL in c
SELECT name AS c, COUNT(*) AS n FROM a WHERE id = 9;

-- refutes: condition / the function is strict
-- case: NULL in c
SELECT bio AS c FROM a WHERE CONCAT_WS('-', name, bio) <> '';

-- refutes: condition / the operand is compared with a single value
-- case: NULL in c
SELECT bio AS c FROM a WHERE bio > ALL (SELECT name FROM a WHERE id = 9);

-- refutes: condition / the list is not empty
-- case: NULL in c
SELECT n AS c FROM a WHERE n NOT IN (SELECT id FROM b WHERE id = 9);

-- refutes: condition / the test is false for a NULL operand
-- case: NULL in c
SELECT bio AS c FROM a WHERE bio IS UNKNOWN;

-- refutes: condition / the constant cannot be converted to NULL
-- case: NULL in c
SELECT ip AS c FROM d WHERE ip <=> 'bad';

-- refutes: condition / the value that replaces NULL is false
-- case: NULL in c
SELECT n AS c FROM a WHERE COALESCE(n > 1, TRUE);

-- refutes: condition / a second evaluation of the operand gives the same value
-- case: NULL in c
SELECT NULLIF(ROUND(RAND(3)), 0) AS c FROM a, a AS o, b, b AS p, two
WHERE NULLIF(ROUND(RAND(3)), 0) IS NOT NULL;

-- refutes: condition / the test is false for a NULL operand
-- case: NULL in c
SELECT bio AS c FROM a WHERE (bio = 'x' OR bio = 'y') IS NOT TRUE;

-- refutes: using / the join is an inner join
-- case: NULL in c
SELECT k.aid AS c FROM k LEFT JOIN b USING (aid);

-- refutes: using / no outer join contains the join
-- case: NULL in c
SELECT k.aid AS c FROM a LEFT JOIN (k JOIN b USING (aid)) ON k.n = 9;

-- refutes: operator / no input is NULL
-- case: NULL in c
SELECT id + n AS c FROM a;

-- refutes: operator / the operation does not change a date
-- case: NULL in c
SELECT at + INTERVAL 1 DAY AS c FROM d;

-- refutes: null-safe / the comparison is not part of a chain of comparisons
-- case: NULL in c
SELECT id <=> n < n AS c FROM a;

-- refutes: division / no input is NULL
-- case: NULL in c
SELECT n / 2 AS c FROM a;

-- refutes: division / the divisor is a constant other than 0
-- case: NULL in c
SELECT id / 0 AS c FROM a;

-- refutes: quantified / no input is NULL
-- case: NULL in c
SELECT 99 > ALL (SELECT aid FROM b) AS c;

-- refutes: in / no input is NULL
-- case: NULL in c
SELECT id IN (5, NULL) AS c FROM a;

-- refutes: coalesce / at least one input is not NULL
-- case: NULL in c
SELECT COALESCE(bio, NULL) AS c FROM a;

-- refutes: cast / no input is NULL
-- case: NULL in c
SELECT CAST(n AS CHAR) AS c FROM a;

-- refutes: cast / every value can be cast
-- case: NULL in c
SELECT CAST(name AS DATE) AS c FROM a;

-- refutes: case / no input is NULL
-- case: NULL in c
SELECT CASE WHEN id > 0 THEN bio ELSE 'x' END AS c FROM a;

-- refutes: case / each branch is checked under its own condition only
-- case: NULL in c
SELECT CASE WHEN n = 0 THEN FIRST_VALUE(n) OVER (ORDER BY id) ELSE 1 END AS c FROM a;

-- refutes: case / a condition that is always true ends the CASE
-- case: NULL in c
SELECT COALESCE(CASE WHEN 1 = id THEN 1 END) AS c FROM a;

-- refutes: subquery / the subquery returns a row
-- case: NULL in c
SELECT (SELECT x FROM b WHERE id = 9) AS c;

-- refutes: subquery / the column of the subquery is not NULL
-- case: NULL in c
SELECT (SELECT MAX(bio) FROM a) AS c;

-- refutes: parameter / the parameter does not accept None
-- case: NULL in c with NULL
SELECT CAST(sqlc.narg('x') AS CHAR) AS c;

-- refutes: window / no input is NULL
-- case: NULL in c
SELECT MAX(n) OVER (PARTITION BY id) AS c FROM a;

-- refutes: window / the window frame contains the current row
-- case: NULL in c
SELECT MAX(id) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING) AS c FROM a;

-- refutes: window / the window frame contains the current row
-- case: NULL in c
SELECT SUM(id) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING) AS c FROM a;

-- refutes: window / the window frame contains the current row
-- case: NULL in c
SELECT FIRST_VALUE(id) OVER (ORDER BY id RANGE BETWEEN 5 FOLLOWING AND UNBOUNDED FOLLOWING) AS c
FROM a;

-- refutes: aggregate / no input is NULL
-- case: NULL in c
SELECT MAX(bio) AS c FROM a GROUP BY id;

-- refutes: aggregate / every group has a row
-- case: NULL in c
SELECT MAX(1) AS c FROM a WHERE id = 9;

-- refutes: aggregate / every group has a row
-- case: NULL in c
SELECT MAX(1) AS c FROM a WHERE id = 9 HAVING COUNT(*) < 1;

-- refutes: aggregate / HAVING is true only for a group with a row
-- case: NULL in c
SELECT MAX(id) AS c FROM a WHERE id = 9 HAVING COUNT(*) >= 0;

-- refutes: aggregate / HAVING is true only for a group with a row
-- case: NULL in c
SELECT MAX(id) AS c FROM a WHERE id = 9 HAVING COUNT(*) > 0 OR MAX(id) IS NULL;

-- refutes: recursion / no input is NULL
-- case: NULL in c
WITH RECURSIVE r (n, m) AS (SELECT 1, 2 UNION ALL SELECT n + 1, NULLIF(m, n + 1) FROM r WHERE n < 3)
SELECT m AS c FROM r;

-- refutes: recursion / no input is NULL
-- case: NULL in c
WITH RECURSIVE r (n, m, o) AS (
    SELECT 1, 2, 3 UNION ALL SELECT n + 1, o, NULLIF(o, 3) FROM r WHERE n < 4
) SELECT m AS c FROM r;

-- refutes: recursion / no value is converted to another type
-- case: NULL in c
WITH RECURSIVE r (n, m) AS (SELECT 1, own FROM d UNION ALL SELECT n + 1, 'bad' FROM r WHERE n < 3)
SELECT m AS c FROM r;

-- refutes: aggregate / the aggregate is NULL only if all its inputs are NULL
-- case: NULL in c
SELECT VAR_SAMP(id) AS c FROM a GROUP BY id;

-- refutes: set-operation / no input is NULL
-- case: NULL in c
SELECT name AS c FROM a UNION SELECT bio FROM a;

-- refutes: set-operation / at least one input is not NULL
-- case: NULL in c
SELECT bio AS c FROM a INTERSECT SELECT bio FROM a;

-- refutes: set-operation / no value is converted to another type
-- case: NULL in c
SELECT own AS c FROM d UNION ALL SELECT 'bad';

-- refutes: function / no input is NULL
-- case: NULL in c
SELECT UPPER(bio) AS c FROM a;

-- refutes: function / the function returns NULL only for NULL arguments
-- case: NULL in c
SELECT NULLIF(id, 1) AS c FROM a;

-- refutes: unique-key / every column of the key is compared with a value
-- case: many
SELECT y FROM two WHERE x = 1;

-- refutes: unique-key / the comparison and the key treat the same values as equal
-- case: many
SELECT c FROM code WHERE c = 1;

-- refutes: unique-key / ON of an outer join restricts only the joined table
-- case: many
SELECT a.id FROM a LEFT JOIN b ON a.id = 1 AND b.id = 1;

-- refutes: unique-key / the query reads current rows, not older row versions
-- case: many
SELECT x FROM past FOR SYSTEM_TIME ALL WHERE id = 1;

-- refutes: group-keys / the query has a single grouping set
-- case: many
SELECT id, COUNT(*) AS n FROM a WHERE id = 1 GROUP BY id WITH ROLLUP;

-- refutes: group-keys / the query has a single grouping set
-- case: many
SELECT q.n FROM (SELECT id, COUNT(*) AS n FROM a WHERE id = 1 GROUP BY id WITH ROLLUP) q;

-- refutes: unique-key / every column of the key is compared with a value
-- case: many
SELECT q.y FROM (SELECT x, y FROM two) q WHERE q.x = 1;

-- refutes: unique-key / every column of the key is compared with a value
-- case: many
SELECT y FROM v_two WHERE x = 1;

-- refutes: unique-key / the comparison and the key treat the same values as equal
-- case: many
SELECT c FROM v_code WHERE c = 1;

-- refutes: unique-key / the comparison and the key treat the same values as equal
-- case: many
SELECT q.c FROM (SELECT c FROM code) q WHERE q.c = 1;

-- refutes: unique-key / the query reads current rows, not older row versions
-- case: many
SELECT q.x FROM (SELECT id, x FROM past FOR SYSTEM_TIME ALL) q WHERE q.id = 1;

-- refutes: unique-key / the other operand does not depend on a row of the table
-- case: many
SELECT b.id FROM b WHERE b.id = (SELECT MAX(a.id) FROM a WHERE a.id = b.id);

-- refutes: group-keys / every key column has a single value
-- case: many
SELECT DISTINCT name FROM a;

-- refutes: group-keys / every key column has a single value
-- case: many
SELECT name, COUNT(*) AS n FROM a GROUP BY name;

-- refutes: set-operation-rows / no UNION
-- case: many
SELECT id FROM a WHERE id = 1 UNION ALL SELECT id FROM b WHERE id = 2;

-- refutes: limit / no WITH TIES
-- case: many
SELECT y FROM two ORDER BY x FETCH FIRST 1 ROW WITH TIES;

-- refutes: some-row / no HAVING
-- case: empty
SELECT COUNT(*) AS n FROM a HAVING COUNT(*) > 9;

-- refutes: some-row / no condition
-- case: empty
SELECT 1 AS x WHERE 1 = 2;

-- refutes: some-row / no condition
-- case: empty
SELECT q.x FROM (SELECT 1 AS x) q WHERE q.x = 2;

-- refutes: some-row / no HAVING
-- case: empty
SELECT q.x FROM (SELECT 1 AS x) q HAVING q.x = 2;

-- refutes: some-row / no OFFSET
-- case: empty
SELECT COUNT(*) AS n FROM a LIMIT 1 OFFSET 1;

-- refutes: some-row / LIMIT allows at least one row
-- case: empty
SELECT COUNT(*) AS n FROM a LIMIT 0;

-- refutes: some-row / ON CONFLICT always updates the existing row
-- case: empty
INSERT IGNORE INTO b VALUES (1, 1, 1) RETURNING id;
