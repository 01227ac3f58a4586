"""JSON whose shape the query decides: proved shapes, and classes that read real documents."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, NoneType
from typing import Any, get_args, get_type_hints

import asyncpg
import psycopg
import pytest
from aiosqlc.contract.conforms import unlike
from aiosqlc.ir import TypedQuery
from aiosqlc.messages.render import render_all
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.pipeline.compile import compile_project

from tests.golden import analyzer_on
from tests.json_shapes.table import NONE, ROWS, WORLD, Case, cases, meant, plain, queries, spelled
from tests.projects import loaded, write_project
from tests.servers.postgres import TestPostgres

TABLE = [*cases("cases.toml"), *cases("standard.toml", 1000)]
MODELS = ("dataclass", "msgspec", "pydantic", "attrs")
_ENTRY = """\
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen:
      python: {{out: judged_{models}, package: judged_{models}, models: {models}, typed_json: true}}
"""


@dataclass(frozen=True)
class World:
    """The table, compiled for each model, and the URL of a database with its rows."""

    url: str
    analysed: dict[str, TypedQuery]
    modules: dict[str, ModuleType]
    folder: Path


@pytest.fixture(scope="module")
def world(
    postgres_server: TestPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("documents")
    entries = "".join(_ENTRY.format(models=models) for models in MODELS)
    files = {
        "sqlc.yaml": f'version: "2"\nsql:\n{entries}',
        "schema.sql": WORLD,
        "queries.sql": queries(TABLE),
    }
    project = loaded(write_project(folder, files))
    scratch = postgres_server.create_empty()
    compiled = compile_project(project, analyzer_on(scratch))
    assert not compiled.failed, render_all(compiled.diagnostics)
    [analysed, *_] = analyze_project(project, analyzer_on(scratch))
    for file in compiled.files:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_text(file.text)
    url = postgres_server.create_empty()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(WORLD + ROWS)
    sys.path.insert(0, str(folder))
    try:
        modules = {m: importlib.import_module(f"judged_{m}.queries") for m in MODELS}
        analysis = {query.parsed.name: query for query in analysed.analysis.queries}
        yield World(url, analysis, modules, folder)
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.startswith("judged_")]:
            del sys.modules[name]
        postgres_server.drop(scratch)
        postgres_server.drop(url)


def _column(query: TypedQuery) -> Any:
    return next(column for column in query.columns if column.name == "doc")


@pytest.mark.parametrize("case", TABLE, ids=[case.says.replace(" ", "_") for case in TABLE])
def test_a_shape_is_what_the_table_says(case: Case, world: World) -> None:
    column = _column(world.analysed[case.name])
    optional = "?" if column.shape and not column.not_null else ""
    assert spelled(column.shape) + optional == case.shape


def _given(function: Any) -> dict[str, object]:
    """Return an argument for each parameter: NULL if NULL is allowed."""
    hints = get_type_hints(function)
    named = [name for name in inspect.signature(function).parameters if name != "db"]
    kinds = {name: hints[name] for name in named}
    return {
        name: None if NoneType in get_args(kind) else {int: 1, str: "x"}[kind]
        for name, kind in kinds.items()
    }


async def _answers(world: World, case: Case, models: str) -> tuple[list[str | None], Any, Any]:
    """Return the documents, the results of the function, and its annotated types."""
    module = world.modules[models]
    function = getattr(module, case.name.lower())
    given = _given(function)
    sql = getattr(module, case.name.upper())
    connection = await asyncpg.connect(world.url)
    try:
        await connection.execute("begin")
        raw = await connection.fetch(sql, *given.values())
        await connection.execute("rollback; begin")
        made = await function(connection, **given)
    finally:
        await connection.close()
    return [row["doc"] for row in raw], made, get_type_hints(function)["return"]


@pytest.mark.parametrize("models", MODELS)
@pytest.mark.parametrize("case", TABLE, ids=[case.says.replace(" ", "_") for case in TABLE])
def test_a_class_reads_each_document(case: Case, models: str, world: World) -> None:
    texts, made, promised = asyncio.run(_answers(world, case, models))
    assert unlike(made, promised) == ""
    column = _column(world.analysed[case.name])
    assert column.not_null <= (None not in texts)
    alone = len(world.analysed[case.name].columns) == 1
    read = [row if alone else row.doc for row in made]
    if case.shape == NONE:
        assert sorted(map(repr, read)) == sorted(map(repr, texts))
        return
    wanted = [None if text is None else meant(text, column.shape) for text in texts]
    assert sorted(map(repr, map(plain, read))) == sorted(map(repr, map(plain, wanted)))
