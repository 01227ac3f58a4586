"""Lists of joined rows depend on unique keys: `verify` and `selfcheck` find violations."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from aiosqlc.engines.nested import mixed, returned
from aiosqlc.ir import Catalog, TypedQuery
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.verify.claims import broken

from tests.golden import analyzer_on
from tests.projects import loaded, write_project
from tests.servers.postgres import TestPostgres

SCHEMA = """\
CREATE TABLE author (id int PRIMARY KEY, name text NOT NULL, mail text UNIQUE);
CREATE TABLE book (id int NOT NULL, author_id int NOT NULL, title text NOT NULL, UNIQUE (id));
"""
QUERY = """\
-- name: ListAuthors :many
SELECT a.id, a.name, sqlc.nest(b) AS books
FROM author AS a LEFT JOIN book AS b ON b.author_id = a.id ORDER BY a.id, b.id;
"""
CONFIG = """\
version: "2"
sql:
  - {engine: postgresql, schema: schema.sql, queries: queries.sql, gen: {python: {out: out}}}
"""


def analysed(folder: Path, server: TestPostgres, schema: str) -> tuple[TypedQuery, Catalog]:
    files = {"sqlc.yaml": CONFIG, "schema.sql": schema, "queries.sql": QUERY}
    url = server.create_empty()
    try:
        project = loaded(write_project(folder, files))
        [found, *_] = analyze_project(project, analyzer_on(url))
    finally:
        server.drop(url)
    return found.analysis.queries[0], found.analysis.catalog


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        ("id int PRIMARY KEY", "id int NOT NULL", [("author_pkey", "author")]),
        (", UNIQUE (id)", "", [("book_id_key", "book")]),
        ("mail text UNIQUE", "mail text", []),
        ("id int PRIMARY KEY, name", "id int UNIQUE NOT NULL, name", []),
    ],
)
def test_code_relies_on_the_keys_of_its_lists(
    old: str, new: str, lost: list[tuple[str, str]], tmp_path: Path, postgres_server: TestPostgres
) -> None:
    query, here = analysed(tmp_path / "a", postgres_server, SCHEMA)
    _, there = analysed(tmp_path / "b", postgres_server, SCHEMA.replace(old, new))
    said = list(broken(query, query, query, here, there))
    texts = [f"groups rows by the key {key}, but {table} has no such key" for key, table in lost]
    assert said == texts


@dataclass(frozen=True)
class Rows:
    """A server's response with these values."""

    values: list[tuple[str | None, ...]]

    @property
    def rows(self) -> int:
        return len(self.values)

    def value(self, row: int, column: int) -> bytes | None:
        found = self.values[row][column]
        return None if found is None else found.encode()

    refusal = ""
    key_taken = False
    touched = True
    columns = 5

    def null_row(self, column: int) -> int | None:
        raise NotImplementedError

    def row(self, number: int) -> str:
        raise NotImplementedError


ANN, BEA = ("1", "Ann"), ("2", "Bea")
ONE, TWO, NONE = ("1", "1", "x"), ("2", "1", "y"), (None, None, None)


@pytest.mark.parametrize(
    ("rows", "count", "wrong"),
    [
        ([], 0, []),
        ([(*ANN, *ONE), (*ANN, *TWO), (*BEA, *NONE)], 2, []),
        ([(*ANN, *ONE), (*ANN, *ONE)], 1, []),
        ([(*ANN, *ONE), ("1", "Eve", *TWO)], 1, [("the rows", 1)]),
        ([(*ANN, *ONE), (*BEA, "1", "1", "z")], 2, [("books", 1)]),
    ],
)
def test_rows_of_one_key_are_one_row_with_equal_columns(
    rows: list[tuple[str | None, ...]],
    count: int,
    wrong: list[tuple[str, int]],
    tmp_path: Path,
    postgres_server: TestPostgres,
) -> None:
    query, _ = analysed(tmp_path, postgres_server, SCHEMA)
    assert returned(query, Rows(rows)) == count
    assert list(mixed(query, Rows(rows))) == wrong
