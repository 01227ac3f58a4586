"""`:bulk` writes many rows in one statement on every driver, for columns of every type."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from aiosqlc.cli.main import main

from tests.drivers.connecting import PLAIN
from tests.drivers.running import Engine, Subject
from tests.projects import write_project

POSTGRES_SCHEMA = """
CREATE TYPE "Odd Pair" AS ("a b" int, b text);
CREATE DOMAIN held AS "Odd Pair";
CREATE TYPE size AS ENUM ('small', 'large');
CREATE TABLE t (id int PRIMARY KEY, name text NOT NULL, n int);
CREATE TABLE pairs (id int PRIMARY KEY, pair "Odd Pair", held held, size size);
"""
POSTGRES_QUERIES = """
-- name: Add :exec :bulk
INSERT INTO t (id, name, n) VALUES (@id, @name, @n);
-- name: Put :execrows :bulk
INSERT INTO t (id, name, n) VALUES (@id, upper(@name), 5)
ON CONFLICT (id) DO UPDATE SET name = excluded.name;
-- name: AddPairs :many :bulk
INSERT INTO pairs (id, pair, held, size) VALUES (@id, @pair, @held, @size) RETURNING id, pair, held, size;
-- name: AddPair :many :bulk
INSERT INTO pairs (id, pair) VALUES (1, @pair) RETURNING pair;
-- name: All :many
SELECT id, name, n FROM t ORDER BY id;
"""  # noqa: E501 - a query
MYSQL_SCHEMA = """
CREATE TABLE t (id int PRIMARY KEY, name varchar(50) NOT NULL, n int);
CREATE TABLE numbered (id int AUTO_INCREMENT PRIMARY KEY, name varchar(50), mood enum('a b', 'c'));
"""
MYSQL_QUERIES = """
-- name: Add :exec :bulk
INSERT INTO t (id, name, n) VALUES (?, ?, ?);
-- name: Put :execrows :bulk
INSERT INTO t (id, name, n) VALUES (sqlc.arg(id), UPPER(sqlc.arg(name)), 5)
ON DUPLICATE KEY UPDATE name = VALUES(name);
-- name: Swap :exec :bulk
REPLACE INTO t (n, name, id) VALUES (DEFAULT, CONCAT(?, '(x%s)', ?), ?);
-- name: Alone :exec :bulk
INSERT INTO numbered (name) VALUES (?);
-- name: Moods :exec :bulk
INSERT INTO numbered VALUES (NULL, 'x', ?);
-- name: Names :many
SELECT name FROM numbered ORDER BY id;
-- name: AllMoods :many
SELECT mood FROM numbered ORDER BY id;
-- name: All :many
SELECT id, name, n FROM t ORDER BY id;
-- name: Empty :exec
DELETE FROM t;
"""
RETURNING = """
-- name: Ids :many :bulk
INSERT INTO numbered (name) VALUES (?) RETURNING id, name;
"""


@pytest.fixture(scope="module", params=PLAIN)
def on_postgres(
    request: pytest.FixtureRequest, postgres: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Subject]:
    texts, folder = (POSTGRES_SCHEMA, POSTGRES_QUERIES), tmp_path_factory.mktemp("bulk")
    with (
        postgres.compiled(folder, request.param, texts=texts, warned=True) as package,
        postgres.database(POSTGRES_SCHEMA) as url,
        postgres.connected(request.param, package, url) as found,
    ):
        yield found


@pytest.fixture(scope="module", params=("aiomysql", "asyncmy", "pymysql"))
def on_mysql(
    request: pytest.FixtureRequest, mysql: Engine, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Subject]:
    texts, folder = (MYSQL_SCHEMA, MYSQL_QUERIES + RETURNING), tmp_path_factory.mktemp("bulk")
    with (
        mysql.compiled(folder, request.param, texts=texts, warned=True) as package,
        mysql.database(MYSQL_SCHEMA) as url,
        mysql.connected(request.param, package, url) as found,
    ):
        yield found


class Unreachable:
    """An executor that must not be called."""

    def __getattr__(self, name: str) -> NoReturn:
        raise AssertionError(f"the function called {name}")


def of_no_rows(subject: Subject, *names: str) -> list[object]:
    """Return the results of functions for an empty list, without a server."""
    queries = subject.module()
    return [subject.wait(getattr(queries, name)(Unreachable(), [])) for name in names]


def rows(subject: Subject) -> list[tuple[object, ...]]:
    return [(row.id, row.name, row.n) for row in subject.call("all")]


def test_bulk_on_postgres_writes_rows_and_composites(on_postgres: Subject) -> None:
    queries, models = on_postgres.module(), on_postgres.module("models")
    on_postgres.wait(on_postgres.db.execute("TRUNCATE t, pairs"))
    on_postgres.call("add", [queries.AddParams(1, "a", None), queries.AddParams(2, "b", 3)])
    assert on_postgres.call("put", [queries.PutParams(2, "x"), queries.PutParams(3, "y")]) == 2
    assert rows(on_postgres) == [(1, "a", None), (2, "X", 3), (3, "Y", 5)]
    pair, size = models.OddPair(7, "p"), models.Size.LARGE
    given = [
        queries.AddPairsParams(1, pair, None, size),
        queries.AddPairsParams(2, None, pair, None),
    ]
    found = on_postgres.call("add_pairs", given)
    assert [(row.id, row.pair, row.held, row.size) for row in found] == [
        (1, pair, None, size),
        (2, None, pair, None),
    ]
    on_postgres.wait(on_postgres.db.execute("TRUNCATE pairs"))
    assert on_postgres.call("add_pair", [None]) == [None]
    on_postgres.wait(on_postgres.db.execute("TRUNCATE pairs"))
    assert on_postgres.call("add_pair", [pair]) == [pair]


def test_bulk_of_no_rows_asks_no_server(on_postgres: Subject, on_mysql: Subject) -> None:
    assert of_no_rows(on_postgres, "add", "put", "add_pair", "add_pairs") == [None, 0, [], []]
    assert of_no_rows(on_mysql, "add", "put", "alone", "ids") == [None, 0, None, []]


def test_bulk_on_mysql_writes_rows(on_mysql: Subject) -> None:
    queries, moods = on_mysql.module(), on_mysql.module("models").NumberedMood
    on_mysql.call("empty")
    on_mysql.call("add", [queries.AddParams(1, "a%s", None), queries.AddParams(2, "b'", 3)])
    assert on_mysql.call("put", [queries.PutParams(2, "x"), queries.PutParams(3, "y")]) in {2, 3}
    assert rows(on_mysql) == [(1, "a%s", None), (2, "X", 3), (3, "Y", 5)]
    on_mysql.call("swap", [queries.SwapParams("p", "q", 1), queries.SwapParams("r", "s", 9)])
    assert rows(on_mysql)[0] == (1, "p(x%s)q", None)
    assert rows(on_mysql)[-1] == (9, "r(x%s)s", None)
    on_mysql.wait(on_mysql.db.execute("TRUNCATE TABLE numbered"))
    on_mysql.call("alone", ["a", None, "c"])
    assert on_mysql.call("names") == ["a", None, "c"]
    on_mysql.call("moods", [moods.A_B, None])
    assert on_mysql.call("all_moods")[-2:] == [moods.A_B, None]
    found = on_mysql.call("ids", ["y", "z"])
    assert [row.name for row in found] == ["y", "z"]


def test_bulk_violation_has_its_class_and_leaves_nothing(on_mysql: Subject) -> None:
    queries = on_mysql.module()
    on_mysql.call("empty")
    with pytest.raises(on_mysql.module("errors").TPkey):
        on_mysql.call("add", [queries.AddParams(1, "a", 1), queries.AddParams(1, "b", 2)])
    assert rows(on_mysql) == []


@pytest.mark.parametrize(
    "text",
    [
        "INSERT INTO t (id, name) SELECT ?, 'a'",
        "INSERT INTO t (id, name) VALUES (?, 'a'), (?, 'b')",
        "INSERT INTO t (id, name) VALUES (?, 'a') ON DUPLICATE KEY UPDATE name = ?",
        "INSERT INTO t (id, name) VALUES (1, 'a')",
    ],
)
def test_what_has_no_single_row_is_refused_on_mysql(
    text: str, mysql: Engine, tmp_path: Path
) -> None:
    texts = MYSQL_SCHEMA, f"-- name: Q :exec :bulk\n{text};\n"
    with pytest.raises(AssertionError, match="E330"):
        mysql.compiled(tmp_path, "aiomysql", texts=texts).__enter__()


CONFIG = """\
version: "2"
sql:
  - {engine: postgresql, schema: schema.sql, queries: queries.sql, gen: {python: {out: out}}}
"""


def test_selfcheck_runs_every_bulk_query(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"sqlc.yaml": CONFIG, "schema.sql": POSTGRES_SCHEMA, "queries.sql": POSTGRES_QUERIES}
    assert main(["selfcheck", "-f", str(write_project(tmp_path, files) / "sqlc.yaml")]) == 0
    assert "never" not in capsys.readouterr().err
