"""The example of the manual, compiled and executed."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.parse.queries import parse_files
from aiosqlc.postgres import analyze
from aiosqlc.schema.read import schema_file
from aiosqlc.source import Dialect, SourceFile

from tests.servers.postgres import TestPostgres

PAGE = Path(__file__).parents[2] / "docs" / "queries.md"
SCHEMA = """
CREATE TABLE orders (
    id int PRIMARY KEY, owner_id int NOT NULL, public boolean NOT NULL, deleted_at timestamptz
);
CREATE TABLE order_line (order_id int NOT NULL, title text NOT NULL, price int NOT NULL);
"""
ROWS = """
INSERT INTO orders VALUES (1, 1, true, NULL), (2, 1, false, NULL), (3, 2, false, now());
INSERT INTO order_line VALUES (1, 'a', 9), (2, 'b', 9), (2, 'c', 1), (3, 'd', 9);
"""


def test_the_example_of_the_manual_is_what_it_says(postgres_server: TestPostgres) -> None:
    section = PAGE.read_text().partition("## Fragments")[2].partition("\n## ")[0]
    [(_, written), (_, expanded)] = re.findall(r"```(sql|text)\n(.*?)```", section, re.DOTALL)
    parsed, problems = parse_files([SourceFile(Path("q.sql"), written)], Dialect.POSTGRESQL)
    assert problems == []
    assert [query.sql for query in parsed] == [expanded.rstrip("\n")]
    url = postgres_server.create_empty()
    schema = schema_file(SourceFile(Path("schema.sql"), SCHEMA), Dialect.POSTGRESQL)
    analysis, found = analyze([schema], parsed, AnalyzeOptions(url))
    assert found == ()
    [query] = analysis.queries
    assert [(column.name, column.not_null) for column in query.columns] == [
        ("id", True),
        ("title", True),
    ]
    assert [param.name for param in query.params] == ["least", "viewer"]
    postgres_server.drop(url)
    url = postgres_server.create_empty()
    with psycopg.connect(url) as db:
        db.execute(f"{SCHEMA};{ROWS}".encode())
        text = expanded.replace("$1", "5").replace("$2", "2")
        assert db.execute(text.encode()).fetchall() == [(2, "b"), (3, "d")]
    postgres_server.drop(url)
