"""`aiosqlc grants`: its output for each engine, and the cases in which it refuses."""

from __future__ import annotations

from pathlib import Path

import pymysql
import pytest
from aiosqlc.cli.main import main

from tests.projects import write_project
from tests.servers.mysql import TestMysql, connect_arguments

MORE = """\
version: "2"
sql:
  - {engine: postgresql, schema: more.sql, queries: more_queries.sql}
"""
MYSQL = """\
version: "2"
sql:
  - {engine: mysql, schema: schema.sql, queries: queries.sql}
"""
TABLES = "CREATE TABLE a (id int PRIMARY KEY, n int); CREATE TABLE b (id int PRIMARY KEY, m int);\n"
CALLS = {
    "SELECT n FROM a": ["SELECT ON `a`"],
    "INSERT INTO a (id) VALUES (1)": ["INSERT ON `a`"],
    "INSERT INTO a (id) VALUES (1) ON DUPLICATE KEY UPDATE n = 1": [
        "SELECT, INSERT, UPDATE ON `a`"
    ],
    "INSERT INTO a (id) SELECT id FROM b": ["INSERT ON `a`", "SELECT ON `b`"],
    "REPLACE INTO a (id) VALUES (1)": ["INSERT, DELETE ON `a`"],
    "REPLACE INTO a (id) SELECT id FROM b": ["INSERT, DELETE ON `a`", "SELECT ON `b`"],
    "UPDATE a JOIN b ON a.id = b.id SET a.n = b.m": ["SELECT, UPDATE ON `a`", "SELECT ON `b`"],
    "UPDATE a AS x JOIN b ON x.id = b.id SET m = 1": ["SELECT ON `a`", "SELECT, UPDATE ON `b`"],
    "UPDATE a JOIN (SELECT id FROM b) AS c ON c.id = a.id SET a.n = 1": [
        "SELECT, UPDATE ON `a`",
        "SELECT ON `b`",
    ],
    "UPDATE a JOIN b ON a.id = b.id SET a.n = 1, m = 2": [
        "SELECT, UPDATE ON `a`",
        "SELECT, UPDATE ON `b`",
    ],
    "DELETE FROM a WHERE id = 1": ["SELECT, DELETE ON `a`"],
    "DELETE x FROM a AS x JOIN b ON b.id = x.id": ["SELECT, DELETE ON `a`", "SELECT ON `b`"],
    "DELETE FROM x, b USING a AS x JOIN b ON b.id = x.id": [
        "SELECT, DELETE ON `a`",
        "SELECT, DELETE ON `b`",
    ],
    "WITH b AS (SELECT 1 AS x) SELECT x FROM b": [],
    "SELECT n FROM a FOR UPDATE": ["SELECT, UPDATE ON `a`"],
}


def test_the_rights_of_all_queries_are_printed_as_statements(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It includes the privileges of another configuration, if its tables are in this schema."""
    (project / "more.yaml").write_text(MORE)
    (project / "more.sql").write_text("CREATE TABLE author (id int); CREATE TABLE gone (id int);")
    queries = "-- name: Drop :exec\nDELETE FROM author;\n-- name: Gone :exec\nDELETE FROM gone;\n"
    (project / "more_queries.sql").write_text(queries)
    capsys.readouterr()
    also = ["--also", str(project / "more.yaml")]
    assert main(["grants", "-f", str(project), "--to", "The App", *also]) == 0
    assert capsys.readouterr().out == (
        'GRANT SELECT, INSERT (bio, name), DELETE ON author TO "The App";\n'
    )


def test_what_nobody_can_tell_is_an_error_with_the_remedy(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "migrations" / "0002_f.sql").write_text(
        "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN\n"
        "EXECUTE 'DROP TABLE author'; RETURN 1; END $$;\n"
    )
    (project / "queries" / "f.sql").write_text("-- name: F :exec\nSELECT f();\n")
    assert main(["grants", "-f", str(project), "--to", "app"]) == 1
    out, err = capsys.readouterr()
    assert "GRANT EXECUTE ON FUNCTION f() TO app;" in out
    assert "E219" in err
    assert "SECURITY DEFINER" in err


@pytest.mark.parametrize("query", CALLS)
def test_on_mysql_rights_are_on_whole_tables(
    query: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    queries = f"-- name: Q :exec\n{query};\n"
    write_project(tmp_path, {"sqlc.yaml": MYSQL, "schema.sql": TABLES, "queries.sql": queries})
    assert main(["grants", "-f", str(tmp_path), "--to", "app"]) == 0
    assert capsys.readouterr().out.splitlines() == [f"GRANT {g} TO `app`;" for g in CALLS[query]]


@pytest.mark.parametrize("query", [query for query, rights in CALLS.items() if rights])
def test_on_mysql_these_rights_are_enough(query: str, mysql_server: TestMysql) -> None:
    url = mysql_server.create_empty("rights")
    given = connect_arguments(url, seconds=20)
    role = {"user": given["db"][-30:], "password": "p"}
    account = f"`{role['user']}`@`%`"
    with pymysql.connect(**given) as connection, connection.cursor() as cursor:
        for statement in filter(str.strip, TABLES.split(";")):
            cursor.execute(statement)
        cursor.execute(f"CREATE USER {account} IDENTIFIED BY 'p'")
        for right in CALLS[query]:
            cursor.execute(f"GRANT {right} TO {account}")
        with pymysql.connect(**given | role) as own, own.cursor() as limited:
            limited.execute(query)
        cursor.execute(f"DROP USER {account}")
    mysql_server.drop(url)
