"""Names and keys of nested rows that broke generated code in the past."""

from __future__ import annotations

import sys
from pathlib import Path

from aiosqlc.cli.main import main

from tests.projects import ran, write_project

CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen: {python: {out: store}}
"""
SCHEMA = """\
CREATE TABLE author (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE book (id int PRIMARY KEY, author_id int NOT NULL, title text NOT NULL);
CREATE TABLE tag (book_id int, word text, n int, PRIMARY KEY (book_id, word, n));
CREATE TABLE award (author_id int, year int, PRIMARY KEY (author_id, year));
"""
QUERIES = """\
-- name: Names :many
SELECT a.id, a.name AS set, a.id AS dict, a.name AS list, sqlc.nest(b) AS books,
    sqlc.nest(w) AS awards
FROM author a LEFT JOIN book b ON b.author_id = a.id LEFT JOIN award w ON w.author_id = a.id;

-- name: Keys :many
SELECT b.id, a.id AS author_id, sqlc.nest(t) AS tags, sqlc.nest(w) AS awards
FROM book b LEFT JOIN author a ON a.id = b.author_id AND a.name = b.title
LEFT JOIN tag t ON t.book_id >= b.id LEFT JOIN award w ON w.year >= b.id;
"""


def test_the_code_is_strictly_typed(tmp_path: Path) -> None:
    files = {"sqlc.yaml": CONFIG, "schema.sql": SCHEMA, "queries.sql": QUERIES}
    write_project(tmp_path, files)
    assert main(["generate", "-f", str(tmp_path)]) == 0
    done = ran(sys.executable, "-m", "mypy", "--strict", "store", cwd=tmp_path)
    assert "Success" in done.stdout, done.stdout
