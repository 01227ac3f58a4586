"""The page about JSON says what is generated: its query compiles to its classes."""

from __future__ import annotations

import re
from pathlib import Path

from aiosqlc.messages.render import render_all
from aiosqlc.pipeline.compile import compile_project

from tests.golden import analyzer_on
from tests.projects import loaded, write_project
from tests.servers.postgres import TestPostgres

PAGE = Path(__file__).parents[2] / "docs" / "json.md"
_BLOCK = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def test_the_query_of_the_manual_has_its_classes(
    tmp_path: Path, postgres_server: TestPostgres
) -> None:
    (_, python), (_, schema), (_, query), (_, classes) = _BLOCK.findall(PAGE.read_text())
    entry = "sql:\n- engine: postgresql\n  schema: schema.sql\n  queries: queries.sql\n  "
    config = f'version: "2"\n{entry}{python.replace(chr(10), chr(10) + "  ").rstrip()}\n'
    files = {"sqlc.yaml": config, "schema.sql": schema, "queries.sql": query}
    project = loaded(write_project(tmp_path, files))
    url = postgres_server.create_empty()
    try:
        compiled = compile_project(project, analyzer_on(url))
    finally:
        postgres_server.drop(url)
    assert not compiled.diagnostics, render_all(compiled.diagnostics)
    [module] = [file.text for file in compiled.files if file.path.name == "queries.py"]
    assert classes in module
