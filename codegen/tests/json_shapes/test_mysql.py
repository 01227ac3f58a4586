"""JSON that a MySQL query builds: proved shapes, and classes that read the server's documents."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType, NoneType
from typing import Any, get_args, get_type_hints

import pymysql
import pytest
from aiosqlc.analysis.port import Analyze
from aiosqlc.contract.conforms import unlike
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import Analysis, AnalyzeOptions, ParsedQuery, SchemaFile, TypedQuery
from aiosqlc.messages.render import render_all
from aiosqlc.mysql import analyze
from aiosqlc.pipeline.analyzing import analyze_project
from aiosqlc.pipeline.compile import compile_project
from msgspec.structs import replace

from tests.json_shapes.table import HERE, NONE, Case, cases, meant, plain, queries, spelled
from tests.projects import loaded, write_project
from tests.sampling import sample
from tests.servers.mysql import TestMysql, connect_arguments

TABLE = cases("mysql.toml")
WORLD, ROWS = (HERE / "mysql_world.sql").read_text(), (HERE / "mysql_rows.sql").read_text()
MODELS = ("dataclass", "msgspec", "pydantic", "attrs")
_ENTRY = """\
  - engine: mysql
    server: mariadb
    schema: schema.sql
    queries: queries.sql
    gen:
      python: {{out: mjudged_{models}, package: mjudged_{models}, models: {models}, driver: pymysql,
        typed_json: true}}
"""


@dataclass(frozen=True)
class World:
    """The table, compiled for each model, and the URL of a database with its rows."""

    url: str
    analysed: dict[str, TypedQuery]
    modules: dict[str, ModuleType]


def analyzer_on(url: str) -> Analyze:
    """Analyse on a running server."""

    def on_server(
        schema: Sequence[SchemaFile], queries: Sequence[ParsedQuery], options: AnalyzeOptions
    ) -> tuple[Analysis, tuple[Diagnostic, ...]]:
        return analyze(schema, queries, replace(options, database_uri=url))

    return on_server


def _filled(url: str) -> None:
    with pymysql.connect(**connect_arguments(url)) as connection, connection.cursor() as cursor:
        for statement in filter(str.strip, (WORLD + ROWS).split(";\n")):
            cursor.execute(statement)
        connection.commit()


@pytest.fixture(scope="module")
def world(mysql_server: TestMysql, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("mysql_documents")
    entries = "".join(_ENTRY.format(models=models) for models in MODELS)
    files = {
        "sqlc.yaml": f'version: "2"\nsql:\n{entries}',
        "schema.sql": WORLD,
        "queries.sql": queries(TABLE),
    }
    project = loaded(write_project(folder, files))
    url = mysql_server.create_empty()
    compiled = compile_project(project, analyzer_on(url))
    assert not compiled.failed, render_all(compiled.diagnostics)
    [analysed, *_] = analyze_project(project, analyzer_on(url))
    for file in compiled.files:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_text(file.text)
    _filled(url)
    sys.path.insert(0, str(folder))
    try:
        modules = {m: importlib.import_module(f"mjudged_{m}.queries") for m in MODELS}
        analysis = {query.parsed.name: query for query in analysed.analysis.queries}
        yield World(url, analysis, modules)
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.startswith("mjudged_")]:
            del sys.modules[name]
        mysql_server.drop(url)


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


def _answers(world: World, case: Case, models: str) -> tuple[list[str | None], Any, Any]:
    """Return the documents, the results of the function, and its annotated types."""
    module = world.modules[models]
    function = getattr(module, case.name.lower())
    given = _given(function)
    adapter = importlib.import_module(f"mjudged_{models}.adapter")
    with pymysql.connect(**connect_arguments(world.url)) as connection:
        db = adapter.PymysqlExecutor(connection)
        raw = db.fetch(getattr(module, case.name.upper()), *given.values())
        at = [column.name for column in world.analysed[case.name].columns].index("doc")
        made = function(db, **given)
    return [row[at] for row in raw], made, get_type_hints(function)["return"]


@pytest.mark.parametrize("models", sample(1, MODELS))
@pytest.mark.parametrize("case", TABLE, ids=[case.says.replace(" ", "_") for case in TABLE])
def test_a_class_reads_each_document(case: Case, models: str, world: World) -> None:
    texts, made, promised = _answers(world, case, models)
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
