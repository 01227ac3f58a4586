"""CALL and SHOW have typed rows if the result always holds."""

from __future__ import annotations

import pytest

from tests.mysql.conftest import Compile, is_mysql, only

pytestmark = pytest.mark.skipif(is_mysql(), reason="about MariaDB; unset TEST_MYSQL_URL")
SCHEMA = """
CREATE TABLE t (id int PRIMARY KEY, s varchar(20) NOT NULL, e enum('a', 'b') NOT NULL);
{};
"""
CALL = "-- name: Q :many\nCALL p();"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("SELECT id, s FROM t", "id int, s varchar"),
        ("SELECT * FROM t", "id int, s varchar, e t_e"),
        ("SELECT id AS n FROM t UNION SELECT 1.5", "n decimal"),
        ("BEGIN UPDATE t SET s = 'x'; SELECT count(*) AS n FROM t; END", "n bigint"),
        ("BEGIN DECLARE a, b int DEFAULT 1; SELECT a, b AS c, a + 1 AS d; END",
         "a int, c int, d int"),
        ("BEGIN DECLARE w decimal(9, 2); SELECT max(id) INTO @x FROM t; SELECT w; END",
         "w decimal"),
        ("BEGIN DECLARE id date; SELECT t.id, id FROM t; END", "id int, id date"),
        ("BEGIN DECLARE n int; SELECT id FROM t LIMIT n, n; END", "id int"),
        ("BEGIN IF EXISTS (SELECT 1) THEN SET @x = 1; END IF; SELECT 1 AS x; END", "x int"),
        ("BEGIN SET @x = CASE WHEN 1 THEN 2 ELSE 3 END; SELECT 1 AS x; END", "x int"),
        ("l: BEGIN BEGIN SELECT 1 AS x; END; END", "x int"),
        ("BEGIN DECLARE EXIT HANDLER FOR 1146 BEGIN ROLLBACK; RESIGNAL; END; SELECT 'a' AS x; END",
         "x varchar"),
        ("BEGIN DECLARE c CURSOR FOR SELECT id FROM t; OPEN c; CLOSE c; SELECT 1 AS x; END",
         "x int"),
        ("BEGIN WHILE @n > 1 DO SET @n = 1; END WHILE; SELECT 1 AS x; END", "x int"),
    ],
)  # fmt: skip
def test_a_call_returns_the_one_select_that_is_always_run(
    compile_: Compile, body: str, expected: str
) -> None:
    query = only(compile_(SCHEMA.format(f"CREATE PROCEDURE p() {body}"), CALL))
    assert ", ".join(f"{c.name} {c.type.name}" for c in query.columns) == expected
    assert not any(column.not_null for column in query.columns)


@pytest.mark.parametrize(
    "body",
    [
        "UPDATE t SET s = 'x'",
        "SELECT id INTO @x FROM t LIMIT 1",
        "BEGIN SELECT 1; SELECT 2; END",
        "BEGIN IF @x THEN SELECT 1; END IF; END",
        "BEGIN IF @x THEN SET @y = 1; ELSE SELECT 1; END IF; END",
        "BEGIN CASE WHEN @x THEN SELECT 1; ELSE SELECT 2; END CASE; END",
        "BEGIN WHILE @x DO SELECT 1; END WHILE; END",
        "BEGIN l: LOOP SELECT 1; LEAVE l; END LOOP; END",
        "BEGIN REPEAT SELECT 1; UNTIL 1 END REPEAT; END",
        "BEGIN FOR r IN (SELECT id FROM t) DO SELECT 1; END FOR; END",
        "BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION SELECT 1; SELECT 2 AS x; END",
        "BEGIN DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN SELECT 1; END; SET @x = 2; END",
        "BEGIN CALL q(); SELECT 1; END",
        "BEGIN EXECUTE IMMEDIATE 'SELECT 1'; SELECT 1; END",
        "BEGIN DELETE FROM t RETURNING id; SELECT 1; END",
        "SHOW TABLES",
        "BEGIN DECLARE g point; SELECT g; END",
    ],
)
def test_of_a_call_whose_rows_are_not_known_the_error_says_what_is(
    compile_: Compile, body: str
) -> None:
    inner = "CREATE PROCEDURE q() SELECT 'x', 'y'"
    schema = SCHEMA.format(f"{inner};\nCREATE PROCEDURE p() {body}")
    _, problems = compile_(schema, CALL)
    (problem,) = (p for p in problems if p.code == "E321")
    assert "one SELECT without INTO" in problem.hint
    (query,), _ = compile_(schema, CALL.replace(":many", ":exec"))
    assert query.columns == ()


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SHOW TABLES", ["Tables"]),
        ("SHOW FULL TABLES LIKE 'a%'", ["Tables", "Table_type"]),
        ("SHOW DATABASES LIKE 'a%'", ["Database"]),
        ("SHOW WARNINGS", ["Level", "Code", "Message"]),
        ("SHOW ERRORS", ["Level", "Code", "Message"]),
        ("SHOW CREATE TABLE t", ["Table", "Create Table"]),
        ("SHOW GRANTS", ["Grants"]),
        ("SHOW CREATE USER", ["CREATE USER"]),
        ("SHOW VARIABLES LIKE 'a%'", ["Variable_name", "Value"]),
        ("SHOW PROFILES", ["Query_ID", "Duration", "Query"]),
        (
            "SHOW FULL PROCESSLIST",
            ["Id", "User", "Host", "db", "Command", "Time", "State", "Info", "Progress"],
        ),
        ("SHOW ENGINES",
         ["Engine", "Support", "Comment", "Transactions", "XA", "Savepoints"]),
        ("SHOW PRIVILEGES", ["Privilege", "Context", "Comment"]),
    ],
)  # fmt: skip
def test_show_returns_columns_named_alike_on_every_database(
    compile_: Compile, sql: str, expected: list[str]
) -> None:
    query = only(compile_(SCHEMA.format("CREATE TABLE u (id int)"), f"-- name: Q :many\n{sql};"))
    assert [column.name for column in query.columns] == expected
    assert "any" not in {column.type.name for column in query.columns}
