"""On a shared server, only databases with our mark are changed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.mysql import schema
from aiosqlc.servers.mysql import databases as scratch
from aiosqlc.servers.mysql.session import Session, open_session

from tests.mysql.conftest import analysed, files
from tests.servers.mysql import TestMysql

SCHEMA = "CREATE TABLE t (id int PRIMARY KEY);"
QUERY = "-- name: Q :many\nSELECT * FROM t;\n"
# Every one of them was run on the named server, but for the first two as they are written here.
REACHING = [
    "CREATE DATABASE theirs2",
    "create schema theirs2",
    "Create Database theirs2",
    "CREATE /*!32312 IF NOT EXISTS */ DATABASE theirs2",
    "/*!50000 DROP DATABASE theirs */",
    "DROP DATABASE theirs",
    "DROP SCHEMA IF EXISTS theirs",
    "ALTER DATABASE theirs CHARACTER SET latin1",
    "USE theirs; DROP TABLE orders",
    "DROP TABLE theirs.orders",
    "DROP TABLE IF EXISTS t, `THEIRS`.orders",
    "RENAME TABLE theirs.orders TO orders",
    "TRUNCATE theirs.orders",
    "TRUNCATE TABLE theirs . orders",
    "DELETE FROM theirs.orders",
    "INSERT INTO theirs.orders VALUES (2)",
    "REPLACE theirs.orders VALUES (2)",
    "UPDATE theirs.orders SET id = 3",
    "CREATE INDEX i ON theirs.orders (id)",
    "CREATE TRIGGER theirs.g AFTER INSERT ON orders FOR EACH ROW SET @x = 1",
    "ALTER TABLE theirs.orders ADD COLUMN x int",
    "CREATE USER nobody",
    "GRANT SELECT ON *.* TO nobody",
    "SET GLOBAL max_connections = 7",
    "SET @@global.max_connections = 7",
]
HARMLESS = [
    "CREATE VIEW v AS SELECT theirs.id FROM t AS theirs JOIN t AS u ON theirs.id = u.id",
    "ALTER TABLE t ADD COLUMN role int, ADD COLUMN `database` int, ADD COLUMN user int",
    "SET NAMES utf8mb4",
    "/*!40014 SET FOREIGN_KEY_CHECKS = 0 */",
    "START TRANSACTION",
    "INSERT INTO t VALUES (1)",
    "CREATE TABLE IF NOT EXISTS tablespace (id int)",
]


@pytest.fixture
def server(mysql_server: TestMysql) -> Iterator[tuple[str, Session]]:
    """A server with a user's database; the session belongs to the user."""
    url = mysql_server.create_empty()
    session = open_session(url, None)
    session.run("CREATE DATABASE theirs")
    session.run("CREATE TABLE theirs.orders (id int PRIMARY KEY)")
    session.run("INSERT INTO theirs.orders VALUES (1)")
    yield url, session
    for (name,) in session.rows("SHOW DATABASES"):
        if name.startswith(("aiosqlc_", "theirs")):
            session.run(f"DROP DATABASE `{name}`")
    session.connection.close()
    mysql_server.drop(url)


def compile_on(url: str, text: str) -> list[str]:
    """Return the error codes for a schema on that server."""
    analysis, problems = analysed(text, QUERY, AnalyzeOptions(url))
    if not problems:
        assert scratch.MARK not in [table.name for table in analysis.catalog.tables]
    return [problem.code for problem in problems]


def databases(session: Session) -> set[str]:
    return {row[0] for row in session.rows("SHOW DATABASES")}


def test_a_schema_cannot_change_what_is_not_its_own(server, subtests) -> None:
    url, session = server
    before = databases(session)
    for statement in REACHING:
        with subtests.test(statement=statement):
            assert compile_on(url, f"{SCHEMA}\n{statement};") == ["E216"]
            assert databases(session) == before
            assert session.rows("SELECT * FROM theirs.orders") == [(1,)]


def test_what_stays_inside_is_not_refused(server, subtests) -> None:
    url, _ = server
    for statement in HARMLESS:
        with subtests.test(statement=statement):
            assert compile_on(url, f"{SCHEMA}\n{statement};") == []


def test_a_database_that_appears_meanwhile_is_not_taken_for_ours(server, monkeypatch) -> None:
    url, session = server
    run = schema._run

    def while_others_work(ours: Session, sql: str, *, lenient: bool) -> None:
        session.run("CREATE DATABASE IF NOT EXISTS theirs_too")
        run(ours, sql, lenient=lenient)

    monkeypatch.setattr(schema, "_run", while_others_work)
    before = databases(session)
    assert compile_on(url, SCHEMA) == []
    assert databases(session) == before | {"theirs_too"}


def test_two_compilers_of_one_schema_do_not_meet(server) -> None:
    url, session = server
    schema_sql, _ = files(SCHEMA, QUERY)
    other = open_session(url, None)
    one, _ = schema.load(session, [schema_sql])
    two, _ = schema.load(other, [schema_sql])
    assert one
    assert two
    assert one.database != two.database
    schema.forget(other, two)
    other.connection.close()
    assert session.rows("SELECT COUNT(*) FROM t") == [(0,)]
    schema.forget(session, one)
    assert not {one.database, two.database} & databases(session)


def test_what_a_killed_compiler_left_is_dropped_and_what_has_no_mark_is_not(server) -> None:
    url, session = server
    old, _ = scratch.make(session)
    young, _ = scratch.make(session)
    session.run(f"UPDATE `{old}`.{scratch.MARK} SET made = '2020-01-01'")
    session.run("CREATE DATABASE aiosqlc_0123456789abcdef")
    session.run("CREATE DATABASE aiosqlc_production")
    assert compile_on(url, SCHEMA) == []
    left = {name for name in databases(session) if name.startswith("aiosqlc_")}
    assert left == {young, "aiosqlc_0123456789abcdef", "aiosqlc_production"}


def test_a_database_with_another_mark_is_not_dropped(server) -> None:
    _, session = server
    name, _ = scratch.make(session)
    scratch.drop(session, name, "f" * 32)
    assert name in databases(session)


def test_a_schema_that_fails_leaves_nothing(server) -> None:
    url, session = server
    before = databases(session)
    assert compile_on(url, f"{SCHEMA} CREATE TABLE u (id nonsense);") == ["E200"]
    assert databases(session) == before
