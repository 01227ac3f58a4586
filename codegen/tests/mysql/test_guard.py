"""No text is sent unproved: each is prepared, and a difference from its function is an error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymysql
import pytest
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.mysql import returning, typed
from aiosqlc.mysql.errors import code_of
from aiosqlc.mysql.prepare import Prepared
from aiosqlc.mysql.schema import forget, load
from aiosqlc.servers.mysql.session import Session, open_session
from pymysql.connections import Connection

from tests.mysql.conftest import (
    SERVER_URL,
    Compile,
    analysed,
    files,
    only,
    without_mysql_server_url,
)

SCHEMA = """
CREATE TABLE a (id int PRIMARY KEY, name varchar(20) NOT NULL, od date);
CREATE TABLE b (id int PRIMARY KEY, x int NOT NULL, state varchar(9));
"""


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("SELECTid, name, od FROM a", "the server rejects the query"),
        ("SELECT id, name FROM a", "the query returns 2 columns, but its row class has 3 columns"),
        ("SELECT id, od, name FROM a", "column 2 has the name `od`, but the row class has `name`"),
        ("SELECT id, current_role AS name, id AS od FROM a", "column `od` has the type integer"),
        ("SELECT id, name, od FROM a WHERE id = $1", "the query has 1 parameters"),
        (
            "SELECT id, name, od FROM a WHERE id = ?",
            "the query has 1 parameters without a value",
        ),
    ],
)
def test_a_text_unlike_its_class_stops_the_file(compile_: Compile, monkeypatch, written, said):
    monkeypatch.setattr(typed, "expand", lambda _sql, _reader: written)
    queries, (problem,) = compile_(SCHEMA, "-- name: Q :many\nSELECT * FROM a;")
    assert not queries
    assert problem.code == "E370"
    assert said in problem.message


def test_the_placeholders_of_the_driver_are_part_of_the_proof(compile_, monkeypatch) -> None:
    from aiosqlc.mysql import guard
    from aiosqlc.parse.placeholders import fill

    def forgetful(sql: str) -> tuple[str, tuple[int, ...]]:
        filled = fill(sql.replace("%", "%%", 1), lambda _index, _place: "%%s")
        return filled.sql, ()

    monkeypatch.setattr(guard, "for_driver", forgetful)
    queries, (problem,) = compile_(SCHEMA, "-- name: Q :many\nSELECT id FROM a WHERE name = ?;")
    assert not queries
    assert problem.code == "E370"


def test_a_variant_returns_the_columns_of_its_class(compile_: Compile) -> None:
    sql = """
-- name: Q :many
SELECT id
  , name -- :if named
FROM a WHERE id > sqlc.arg(id)
  AND name = sqlc.arg(named); -- :if named
"""
    queries, problems = compile_(SCHEMA, sql)
    assert not queries
    assert [problem.code for problem in problems] == ["E370"]
    assert "the query returns one column, but its row class has 2 columns" in problems[0].message


HELD = [
    "SELECT *, COALESCE(od, ?) AS d, COUNT(*) OVER () FROM a WHERE name LIKE '%x%' LIMIT ?",
    "SELECT id, UPPER(?), 'a%b' FROM a WHERE id IN (sqlc.slice(ids)) AND JSON_EXTRACT(name, ?) = 1",
    "SELECT a.*, b.* FROM a JOIN b AS b USING (id) WHERE state <=> ?",
    "DELETE FROM a WHERE id = ? RETURNING *, id + ?",
]


@pytest.mark.parametrize("sql", HELD)
def test_what_is_right_passes(compile_: Compile, sql) -> None:
    queries, problems = compile_(SCHEMA, f"-- name: Q :many\n{sql};")
    assert queries
    assert not [problem for problem in problems if problem.code == "E370"]


def test_no_text_of_a_query_is_prepared_twice(compile_: Compile, monkeypatch) -> None:
    texts: list[str] = []

    def prepare(connection: Connection[object], sql: str) -> Prepared:
        texts.append(sql)
        return prepare_(connection, sql)

    prepare_ = returning.prepare
    monkeypatch.setattr(returning, "prepare", prepare)
    for sql in (*HELD, "SELECT UPPER(name) AS n FROM a", "SELECT id + ? AS n, '$1' AS t FROM a"):
        compile_(SCHEMA, f"-- name: Q :many\n{sql};")
        assert texts
        assert len(texts) == len(set(texts)), sql
        texts.clear()


PLANNED_SCHEMA = """
CREATE TABLE a (
    id int PRIMARY KEY AUTO_INCREMENT, name varchar(20) NOT NULL, bio text, n int, FULLTEXT (bio)
);
CREATE TABLE b (id int PRIMARY KEY, x int NOT NULL, state varchar(9), e enum('p', 'q') NOT NULL);
"""
# A statement that the server prepares, and what is said of it; it is run, too.
PLANNED = {
    "INSERT INTO b SELECT id FROM a": "Column count doesn't match",
    "INSERT INTO b (id, x) SELECT id FROM a WHERE id > ?": "Column count doesn't match",
    "REPLACE INTO b (id, x) SELECT id, n, 1 FROM a": "Column count doesn't match",
    "INSERT INTO b (id, state) SELECT id, name FROM a": "'x' doesn't have a default value",
    "INSERT INTO b (id, x) SELECT id, n FROM a": "",
    "SELECT id FROM a WHERE MATCH (name) AGAINST (?)": "FULLTEXT index",
    "SELECT id, MATCH (name, bio) AGAINST ('x') AS s FROM a": "FULLTEXT index",
    "SELECT id FROM a WHERE MATCH (bio) AGAINST (? IN BOOLEAN MODE)": "",
    "SELECT COUNT(DISTINCT n) OVER () AS c FROM a": "DISTINCT",
    "SELECT SUM(n) OVER (PARTITION BY name) AS c FROM a": "",
    "SELECT SUM(SUM(n)) OVER () AS c FROM a GROUP BY name": "",
    "INSERT INTO b (id, x) SELECT id, n FROM a ON DUPLICATE KEY UPDATE y = 1": "column 'y'",
    "SELECT GROUP_CONCAT(name ORDER BY 3) AS c FROM a": "column '3'",
    "INSERT INTO a (name) VALUES (NULL)": "`a.name` is NOT NULL",
    "INSERT INTO a (name) VALUES ('x'), (NULL)": "`a.name` is NOT NULL",
    "INSERT INTO b (id, x, e) VALUES (1, 2, NULL)": "`b.e` is NOT NULL",
    "INSERT INTO a (id, name, n) VALUES (NULL, 'x', NULL)": "",
    "INSERT IGNORE INTO a (name) VALUES (NULL)": "",
}


@pytest.mark.parametrize("sql", PLANNED)
def test_what_the_server_refuses_only_when_it_plans_never_succeeds(
    mysql_cache, compile_, sql
) -> None:
    command = "many" if sql.startswith("SELECT") else "exec"
    queries, problems = compile_(PLANNED_SCHEMA, f"-- name: Q :{command}\n{sql};")
    assert (not queries) is bool(PLANNED[sql])
    assert all(PLANNED[sql] in problem.message for problem in problems)
    assert bool(problems) is bool(PLANNED[sql])
    with _loaded(mysql_cache, PLANNED_SCHEMA) as session:
        assert (_refused(session, sql.replace("?", "1")) > 0) is bool(PLANNED[sql])


@contextmanager
def _loaded(cache: Path, schema: str) -> Iterator[Session]:
    session = open_session(SERVER_URL, cache)
    loaded, problem = load(session, [files(schema, "")[0]])
    assert loaded, problem
    try:
        yield session
    finally:
        forget(session, loaded)
        session.connection.close()


def _refused(session: Session, sql: str) -> int:
    """Run a statement and roll it back; return the number of the server's error."""
    session.run("START TRANSACTION")
    try:
        session.run(sql)
    except pymysql.MySQLError as error:
        return code_of(error)
    finally:
        session.run("ROLLBACK")
    return 0


@pytest.mark.parametrize(
    ("server", "codes"), [("", ["E213"]), ("mysql", []), ("mariadb", ["E371"])]
)
@without_mysql_server_url
def test_what_mariadb_lacks_is_not_said_of_mysql(mysql_cache, server, codes) -> None:
    sql = "-- name: Q :many\nSELECT JSON_ARRAYAGG(id) OVER () AS ids FROM a;"
    _, problems = analysed(PLANNED_SCHEMA, sql, AnalyzeOptions(None, mysql_cache, server=server))
    assert [problem.code for problem in problems] == codes


# A column's declaration, and whether an INSERT may leave it out; the server is asked too.
LEFT_OUT = [
    ("int NOT NULL", False),
    ("int", True),
    ("int NOT NULL DEFAULT 0", True),
    ("text NOT NULL", False),
    ("text NOT NULL DEFAULT 'x'", True),
    ("text NOT NULL DEFAULT (concat('x', 'y'))", True),
    ("enum('p', 'q') NOT NULL", True),
    ("set('p', 'q') NOT NULL", False),
    ("datetime NOT NULL", False),
    ("datetime NOT NULL DEFAULT now()", True),
    ("json NOT NULL", False),
    ("bool NOT NULL", False),
    ("varchar(9) AS ('x') STORED", True),
    ("int NOT NULL UNIQUE AUTO_INCREMENT", True),
]


# A value for a generated column, and whether the server may take it.
COMPUTED = {
    "INSERT INTO t (a, twice) VALUES (1, 2)": False,
    "REPLACE INTO t VALUES (1, 2)": False,
    "INSERT INTO t (a, twice) VALUES (1, DEFAULT), (2, 4)": False,
    "INSERT INTO t (a, twice) VALUES (1, DEFAULT)": True,
    "INSERT INTO t VALUES (1, DEFAULT)": True,
    "INSERT IGNORE INTO t (a, twice) VALUES (1, 2)": True,
    "INSERT INTO t (twice, a) VALUES (DEFAULT, 1)": True,
}


@pytest.mark.parametrize("insert", COMPUTED)
def test_an_insert_into_a_generated_column_never_succeeds(mysql_cache, compile_, insert) -> None:
    table = "CREATE TABLE t (a int PRIMARY KEY, twice int AS (a * 2) STORED);"
    _, problems = compile_(table, f"-- name: Q :exec\n{insert};")
    assert [problem.code for problem in problems] == ([] if COMPUTED[insert] else ["E371"])
    with _loaded(mysql_cache, table) as session:
        assert (_refused(session, insert) == 0) is COMPUTED[insert]


@pytest.mark.parametrize(("declared", "may"), LEFT_OUT)
@pytest.mark.parametrize("verb", ["INSERT", "REPLACE"])
def test_an_insert_without_a_required_column_never_succeeds(
    mysql_cache: Path, compile_, declared, may, verb
) -> None:
    schema_text = f"CREATE TABLE t (k int PRIMARY KEY DEFAULT 0, c {declared});"
    if "UNIQUE AUTO" in declared:
        schema_text = schema_text.replace("PRIMARY KEY DEFAULT 0", "DEFAULT 0")
    insert = f"{verb} INTO t (k) VALUES (1)"
    _, problems = compile_(schema_text, f"-- name: Q :exec\n{insert};")
    assert [problem.code for problem in problems] == ([] if may else ["E371"])
    with _loaded(mysql_cache, schema_text) as session:
        assert (_refused(session, insert) == 0) is may


@pytest.mark.parametrize(
    "insert",
    [
        "INSERT IGNORE INTO b (id) VALUES (1)",
        "INSERT IGNORE INTO b (id) SELECT id FROM a",
        "INSERT INTO b VALUES (1, 2, NULL)",
    ],
)
def test_an_insert_that_may_succeed_is_not_refused(compile_, insert) -> None:
    only(compile_(SCHEMA, f"-- name: Q :exec\n{insert};"))


def test_a_trigger_may_fill_what_an_insert_leaves_out(compile_) -> None:
    trigger = "CREATE TRIGGER g BEFORE INSERT ON b FOR EACH ROW SET NEW.x = 1;"
    only(compile_(SCHEMA + trigger, "-- name: Q :exec\nINSERT INTO b (id) VALUES (1);"))
