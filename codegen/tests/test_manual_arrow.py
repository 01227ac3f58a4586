"""The page about Arrow shows the code that its query compiles to, and its example runs."""

from __future__ import annotations

import importlib
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pyarrow as pa
import pytest
from aiosqlc.messages.render import render_all
from aiosqlc.pipeline.compile import compile_project

from tests.golden import analyzer_on
from tests.projects import loaded, write_project
from tests.servers.postgres import TestPostgres

PAGE = Path(__file__).parents[1] / "docs" / "arrow.md"
_BLOCK = re.compile(r"```(?:sql|python)\n(.*?)```", re.DOTALL)
CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen:
      python: {out: manual_arrow}
"""
ROWS = """
INSERT INTO sale VALUES (1, 'a', 1.50, '2025-12-31'), (2, 'b', 2, '2026-01-01'),
    (3, 'b', 0.25, '2026-01-02');
"""


async def test_the_example_is_generated_and_sums_its_sales(
    tmp_path: Path, postgres_server: TestPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema, query, generated, called = _BLOCK.findall(PAGE.read_text())
    files = {"sqlc.yaml": CONFIG, "schema.sql": schema, "queries.sql": query}
    project = loaded(write_project(tmp_path, files))
    url = postgres_server.create_empty()
    try:
        compiled = compile_project(project, analyzer_on(url))
        assert not compiled.diagnostics, render_all(compiled.diagnostics)
        for file in compiled.files:
            file.path.parent.mkdir(exist_ok=True)
            file.path.write_text(file.text)
        written = (tmp_path / "manual_arrow" / "queries.py").read_text()
        assert generated in f"{written}\n"
        monkeypatch.syspath_prepend(str(tmp_path))
        names: dict[str, Any] = {"datetime": datetime, "UTC": UTC, "pyarrow": pa}
        names["queries"] = importlib.import_module("manual_arrow.queries")
        exec(called, names)
        db = await asyncpg.connect(url)
        try:
            await db.execute(schema + ROWS)
            totals = await names["total_by_shop"](db)
            assert totals == {"shop": ["b"], "price_sum": [Decimal("2.25")]}
        finally:
            await db.close()
    finally:
        postgres_server.drop(url)
