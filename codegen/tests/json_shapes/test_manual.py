"""The page about JSON shows the generated code: its queries compile to its classes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosqlc.analysis.port import Analyze
from aiosqlc.messages.explained import column_lines
from aiosqlc.messages.render import render_all
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.pipeline.compile import compile_project

from tests import golden
from tests.json_shapes.test_mysql import analyzer_on
from tests.projects import loaded, write_project
from tests.servers.mysql import TestMysql
from tests.servers.postgres import TestPostgres

PAGE = Path(__file__).parents[2] / "docs" / "json.md"
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


@pytest.fixture(params=["postgresql", "mysql"])
def example(
    request: pytest.FixtureRequest, postgres_server: TestPostgres, mysql_server: TestMysql
) -> Iterator[tuple[str, int, Analyze]]:
    """An engine, the position of its query on the page, and its analyser."""
    if request.param == "postgresql":
        url = postgres_server.create_empty()
        yield "postgresql", 2, golden.analyzer_on(url)
        postgres_server.drop(url)
    else:
        url = mysql_server.create_empty()
        yield "mysql", 4, analyzer_on(url)
        mysql_server.drop(url)


def test_the_queries_of_the_manual_have_its_classes(
    tmp_path: Path, example: tuple[str, int, Analyze]
) -> None:
    engine, place, analyze = example
    blocks = [text for _, text in _BLOCK.findall(PAGE.read_text())]
    assert len(blocks) == 12
    python, schema, classes, query = blocks[0], blocks[1], blocks[3], blocks[place]
    entry = f"sql:\n- engine: {engine}\n  schema: schema.sql\n  queries: queries.sql\n  "
    config = f'version: "2"\n{entry}{python.replace(chr(10), chr(10) + "  ").rstrip()}\n'
    files = {"sqlc.yaml": config, "schema.sql": schema, "queries.sql": query}
    project = loaded(write_project(tmp_path, files))
    compiled = compile_project(project, analyze)
    assert not compiled.diagnostics, render_all(compiled.diagnostics)
    [module] = [file.text for file in compiled.files if file.path.name == "queries.py"]
    assert classes in module


def test_the_declared_structures_of_the_manual_have_its_classes(
    tmp_path: Path, postgres_server: TestPostgres
) -> None:
    blocks = [text for _, text in _BLOCK.findall(PAGE.read_text())][5:]
    python, schema, preferences, query, classes, _, explained = blocks
    entry = "sql:\n- engine: postgresql\n  schema: schema.sql\n  queries: queries.sql\n  "
    config = f'version: "2"\n{entry}{python.replace(chr(10), chr(10) + "  ").rstrip()}\n'
    files = {
        "sqlc.yaml": config,
        "schema.sql": schema,
        "queries.sql": query,
        "preferences.json": preferences,
        "app/models.py": "import attrs\n\n@attrs.define\nclass Address:\n    city: str\n",
    }
    project = loaded(write_project(tmp_path, files))
    url = postgres_server.create_empty()
    analyze = golden.analyzer_on(url)
    compiled = compile_project(project, analyze)
    [analysed] = analyze_project(project, analyze)
    postgres_server.drop(url)
    assert not compiled.diagnostics, render_all(compiled.diagnostics)
    [module] = [file.text for file in compiled.files if file.path.name == "queries.py"]
    assert classes in module
    lines = [
        line for column in analysed.analysis.queries[0].columns for line in column_lines(column)
    ]
    assert [line.strip() for line in explained.splitlines()] == [
        line.strip() for line in lines[lines.index("size: jsonb NULL") :][:3]
    ]
