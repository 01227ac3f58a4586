"""The page about queries shows the code for nested rows, and its example returns them."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path

import asyncpg
import pytest
from aiosqlc.messages.explained import result_lines
from aiosqlc.messages.render import render_all
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.pipeline.compile import compile_project

from tests.golden import analyzer_on
from tests.projects import loaded, write_project
from tests.servers.postgres import TestPostgres

PAGE = Path(__file__).parents[1] / "docs" / "queries.md"
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    strict: true
    gen:
      python: {out: manual_nested}
"""
ROWS = """
INSERT INTO author VALUES (1, 'Ann'), (2, 'Bea');
INSERT INTO book VALUES (1, 1, 'Y'), (2, 1, 'X');
INSERT INTO review VALUES (1, 1, 5), (2, 1, 4);
INSERT INTO award VALUES (1, 2001), (1, 2000);
"""


async def test_the_example_has_its_classes_and_prints_its_books(
    tmp_path: Path,
    postgres_server: TestPostgres,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    section = PAGE.read_text().partition("## Nested rows")[2].partition("\n## ")[0]
    schema, query, classes, loop, limited = [text for _, text in _BLOCK.findall(section)]
    files = {"sqlc.yaml": CONFIG, "schema.sql": schema, "queries.sql": query + limited}
    project = loaded(write_project(tmp_path, files))
    url = postgres_server.create_empty()
    try:
        compiled = compile_project(project, analyzer_on(url))
        assert not compiled.diagnostics, render_all(compiled.diagnostics)
        for file in compiled.files:
            file.path.parent.mkdir(exist_ok=True)
            file.path.write_text(file.text)
        assert classes in (tmp_path / "manual_nested" / "queries.py").read_text()
        monkeypatch.syspath_prepend(str(tmp_path))
        queries = importlib.import_module("manual_nested.queries")
        db = await asyncpg.connect(url)
        await db.execute(schema + ROWS)
        body = "".join(f"    {line}\n" for line in loop.splitlines())
        names = {"list_authors": queries.list_authors}
        exec(f"async def shown(db):\n{body}", names)  # the code of the manual
        await names["shown"](db)
        first = await queries.list_first_authors(db, size=1)
        await db.close()
    finally:
        postgres_server.drop(url)
        for name in [name for name in sys.modules if name.startswith("manual_nested")]:
            del sys.modules[name]
    assert capsys.readouterr().out == "Ann X [] 2\nAnn Y [5, 4] 2\n"
    assert [(row.name, [book.title for book in row.books]) for row in first] == [
        ("Ann", ["X", "Y"])
    ]


def test_explain_names_the_keys(tmp_path: Path, postgres_server: TestPostgres) -> None:
    section = PAGE.read_text().partition("## Nested rows")[2]
    schema, query, *_ = [text for _, text in _BLOCK.findall(section)]
    files = {"sqlc.yaml": CONFIG, "schema.sql": schema, "queries.sql": query}
    url = postgres_server.create_empty()
    try:
        [analysed, *_] = analyze_project(loaded(write_project(tmp_path, files)), analyzer_on(url))
    finally:
        postgres_server.drop(url)
    [typed] = analysed.analysis.queries
    assert list(result_lines(typed))[:5] == [
        "rows: any number of rows",
        "    joined rows with equal `id` are returned as one row",
        "lists:",
        "    books: rows differ in `id`; the joined rows may contain a row twice",
        "    awards: rows differ in `author_id`, `year`; the joined rows may contain a row twice",
    ]
