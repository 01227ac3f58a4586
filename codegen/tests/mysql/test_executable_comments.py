"""Executable comments are part of the statement: what the server runs is compiled and sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.diagnostics import Severity
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.mysql.executable import as_read, kin_of
from aiosqlc.parse.scanner import Kind, scan
from aiosqlc.source import Dialect

from tests.mysql.conftest import analysed, only
from tests.mysql.generated import Generate, Store, generate, judged

__all__ = ["generate"]
TABLE = "CREATE TABLE b (id int PRIMARY KEY, x int);"
SCHEMA = """
/*!40014 SET FOREIGN_KEY_CHECKS = 0 */;
CREATE TABLE a (id int PRIMARY KEY, b_id int, name varchar(20) NOT NULL) /*!50100 COMMENT 'x' */;
/*!50000 CREATE TABLE b (id int PRIMARY KEY, x int NOT NULL) */;
"""
ROWS = "INSERT INTO a VALUES (1, 1, 'n'), (2, NULL, 'm'); INSERT INTO b VALUES (1, 5), (2, 6);"
QUERIES = """
-- name: Plain :execrows
UPDATE b SET x = 0 /*! WHERE id = 1 */;
-- name: Versioned :execrows
UPDATE b SET x = 0 /*!50000 WHERE id = ? */;
-- name: Six :execrows
DELETE FROM b /*!050000 WHERE id = sqlc.arg(id) */;
-- name: Marias :execrows
DELETE FROM b /*M! WHERE id = 1 */;
-- name: Later :execrows
UPDATE b SET x = 0 WHERE id = 1 /*M!990000 OR TRUE */;
-- name: Ored :execrows
UPDATE b SET x = 0 WHERE id = 1 /*! OR TRUE */;
-- name: Joined :many
SELECT a.id, b.x FROM a /*! LEFT */ JOIN b ON b.id = a.b_id ORDER BY a.id;
-- name: Starred :many
SELECT/*! DISTINCT */* FROM b ORDER BY id /*! DESC */;
-- name: Bound :one
SELECT x FROM b /*! WHERE id = ? */;
-- name: Quoted :many
SELECT name FROM a WHERE name <> /*! '*/;' */ ORDER BY id;
"""


@pytest.fixture(scope="module")
def store(generate: Generate) -> Store:
    return generate(SCHEMA, QUERIES, rows=ROWS)


@pytest.mark.parametrize(
    ("name", "arguments", "count"),
    [
        ("plain", {}, 1),
        ("versioned", {"id": 1}, 1),
        ("six", {"id": 1}, 1),
        ("marias", {}, 1),
        ("later", {}, 1),
        ("ored", {}, 2),
    ],
)
async def test_a_condition_in_an_executable_comment_is_sent(store, name, arguments, count) -> None:
    async with store.connected() as db:
        assert await getattr(store.module(), name)(db, **arguments) == count


async def test_what_an_executable_comment_says_is_typed(store) -> None:
    q = store.module()
    async with store.connected() as db:
        joined = await q.joined(db)
        assert not judged(q.joined, joined)
        assert [row.x for row in joined] == [5, None]
        assert [row.id for row in await q.starred(db)] == [2, 1]
        assert (await q.bound(db, id=2), await q.bound(db, id=9)) == (6, None)
        assert await q.quoted(db) == ["n", "m"]


@pytest.mark.parametrize(
    ("version", "opening", "runs"),
    [
        ("10.11.19-MariaDB", "/*!", True),
        ("10.11.19-MariaDB", "/*!50699", True),
        ("10.11.19-MariaDB", "/*!50700", False),
        ("10.11.19-MariaDB", "/*!99999", False),
        ("10.11.19-MariaDB", "/*!101100", True),
        ("10.11.19-MariaDB", "/*!101200", False),
        ("10.11.19-MariaDB", "/*M!", True),
        ("10.11.19-MariaDB", "/*M!50700", True),
        ("10.11.19-MariaDB", "/*M!101200", False),
        ("8.4.3", "/*!80000", True),
        ("8.4.3", "/*!80403", True),
        ("8.4.3", "/*!90000", False),
        ("8.4.3", "/*M!", False),
    ],
)
def test_each_kind_of_server_runs_what_is_meant_for_it(version, opening, runs) -> None:
    assert kin_of(version).runs(opening) is runs


def test_the_server_itself_runs_what_is_said_of_it(mysql_cache: Path) -> None:
    from aiosqlc.servers.mysql.session import open_session

    session = open_session(None, mysql_cache)
    for opening in ("/*!", "/*M!", "/*!50699", "/*!50700", "/*!99999", "/*!100000", "/*!119999"):
        ran = session.rows(f"SELECT 1 {opening} + 1 */")[0][0] == 2
        assert kin_of(session.version).runs(opening) is ran, opening


def test_what_a_server_does_not_run_is_blank_and_all_else_stays_in_place() -> None:
    sql = "SELECT /*!99999 x,\n*/ 1 /*! + '*/' */ /* c */"
    read = as_read(sql, kin_of("8.4.3"))
    assert read.split() == ["SELECT", "1", "+", "'*/'", "/*", "c", "*/"]
    assert [read.index(part) for part in ("1 ", "+", "\n")] == [
        sql.index(part) for part in ("1 ", "+", "\n")
    ]


def test_an_executable_comment_that_is_never_closed_is_one_error() -> None:
    tokens = list(scan("SELECT 1 /*! + 1; SELECT 2;", Dialect.MYSQL))
    assert tokens[-1].kind is Kind.UNTERMINATED


def test_where_two_servers_read_two_statements_somebody_must_say_which(mysql_cache: Path) -> None:
    sql = "-- name: Q :execrows\nUPDATE b SET x = 0 /*!80000 WHERE id = 1 */;"
    for server, codes in (("", ["E214"]), ("mysql", []), ("mariadb", [])):
        options = AnalyzeOptions(cache_dir=mysql_cache, server=server)
        _, problems = analysed(TABLE, sql, options)
        assert [problem.code for problem in problems] == codes


@pytest.mark.parametrize(
    ("sql", "severity"),
    [
        ("SELECT id /*M! , x */ FROM b", Severity.ERROR),
        ("SELECT id FROM b WHERE x = 1 /*!80000 AND id = ? */", Severity.ERROR),
        ("SELECT id FROM b /*!80000 WHERE id = 1 */", Severity.WARNING),
    ],
)
def test_readings_with_other_columns_or_parameters_are_an_error(mysql_cache, sql, severity) -> None:
    options = AnalyzeOptions(cache_dir=mysql_cache)
    _, (problem,) = analysed(TABLE, f"-- name: Q :many\n{sql};", options)
    assert (problem.code, problem.severity) == ("E214", severity)


def test_without_a_server_a_comment_is_read_as_mysql_reads_it(compile_text) -> None:
    sql = "-- name: Q :one\nSELECT x FROM b /*!80000 WHERE id = 1 */ /*M! OR TRUE */;"
    query = only(compile_text(TABLE, sql))
    assert query.cardinality.at_most_one
