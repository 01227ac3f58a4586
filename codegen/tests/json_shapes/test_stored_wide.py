"""Objects that a schema refers to from many places are read, planned and shown once each."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import asyncpg
import psycopg
import pytest
from aiosqlc.analysis.stored.classes import python_shape
from aiosqlc.analysis.stored.schemas import schema_shape
from aiosqlc.cli.main import main
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import JsonShape
from aiosqlc.messages.json_shapes import json_lines
from aiosqlc.messages.render import render_all
from aiosqlc.pipeline.compile import compile_project

from tests.golden import analyzer_on
from tests.projects import loaded, write_project
from tests.servers.postgres import TestPostgres

LEVELS = 30  # a billion values if each reference is expanded


def _ref(number: int) -> dict[str, str]:
    return {"$ref": f"#/$defs/level{number}"}


def _wide(inner: dict[str, object]) -> dict[str, object]:
    """Return a schema whose objects have two members of the next object each."""
    levels: dict[str, object] = {
        f"level{number}": {"properties": {"a": _ref(number + 1), "b": _ref(number + 1)}}
        for number in range(LEVELS)
    }
    levels[f"level{LEVELS}"] = inner
    return {**_ref(0), "$defs": levels}


_LEAF = {"properties": {"x": {"type": "integer"}}, "required": ["x"]}
_FILES = {
    "sqlc.yaml": """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen:
      python:
        out: wide_{models}
        package: wide_{models}
        models: {models}
        json:
          t.one: {{schema: wide.json}}
          t.other: {{schema: wide.json}}
""",
    "schema.sql": "CREATE TABLE t (id int PRIMARY KEY, one jsonb NOT NULL, other json);\n",
    "queries.sql": """\
-- name: Add :exec
INSERT INTO t (id, one, other) VALUES (@id, @one, @other);

-- name: Get :one
SELECT one, other, one #> '{{{path}}}' AS leaf FROM t WHERE id = @id;
""",
    "wide.json": json.dumps(_wide(_LEAF)),
}


def _written(folder: Path, models: str) -> Path:
    path = ",".join("ab"[number % 2] for number in range(LEVELS))
    texts = {
        name: text if name.endswith(".json") else text.format(models=models, path=path)
        for name, text in _FILES.items()
    }
    return write_project(folder, texts)


@pytest.mark.parametrize("models", ["dataclass", "pydantic", "msgspec", "attrs"])
def test_a_wide_schema_has_one_class_for_each_object(
    models: str, tmp_path: Path, postgres_server: TestPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = loaded(_written(tmp_path, models))
    url = postgres_server.create_empty()
    compiled = compile_project(project, analyzer_on(url))
    assert not compiled.failed, render_all(compiled.diagnostics)
    for file in compiled.files:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_text(file.text)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_FILES["schema.sql"])
    monkeypatch.syspath_prepend(str(tmp_path))
    queries = importlib.import_module(f"wide_{models}.queries")
    try:
        asyncio.run(_exchange(queries, sys.modules[f"wide_{models}.models"], url))
    finally:
        postgres_server.drop(url)


async def _exchange(queries: Any, classes: Any, url: str) -> None:
    leaf = getattr(classes, f"TOneLevel{LEVELS}")(x=3)
    value = leaf
    for number in reversed(range(LEVELS)):
        key = "ab"[number % 2]
        value = getattr(classes, f"TOneLevel{number}")(**{key: value})
    connection = await asyncpg.connect(url)
    try:
        await queries.add(connection, id=1, one=value, other=None)
        row = await queries.get(connection, id=1)
        assert (row.one, row.other, row.leaf) == (value, None, leaf)
    finally:
        await connection.close()


def test_a_wide_schema_is_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = str(_written(tmp_path, "dataclass") / "sqlc.yaml")
    assert main(["explain", "-f", config, "Get"]) == 0
    assert len(capsys.readouterr().out.splitlines()) < 500
    assert main(["explain", "-f", config, "Get", "--json"]) == 0
    column = json.loads(capsys.readouterr().out)["columns"][0]["json"]
    inner, again = column["members"]["a"], column["members"]["b"]
    assert inner["members"].keys() == {"a", "b"}
    assert (again["name"], "members" in again) == (inner["name"], False)


def test_the_lines_of_a_structure_have_a_limit(tmp_path: Path) -> None:
    def lines(members: int) -> list[str]:
        schema = {"properties": {f"m{number}": {} for number in range(members)}}
        (tmp_path / "s.json").write_text(json.dumps(schema))
        shape = schema_shape(tmp_path / "s.json", "s.json", "s")
        assert isinstance(shape, JsonShape)
        return list(json_lines(shape))

    assert [line.strip() for line in lines(200)[-2:-1]] == ["m199: any JSON, may be missing"]
    assert [line.strip() for line in lines(201)[-2:-1]] == ["…"]


def test_lists_of_a_fixed_length_that_multiply_are_one_error(tmp_path: Path) -> None:
    def of_depth(depth: int) -> JsonShape | Diagnostic:
        levels: dict[str, object] = {
            f"level{number}": {
                "prefixItems": [_ref(number + 1), _ref(number + 1)],
                "minItems": 2,
                "maxItems": 2,
            }
            for number in range(depth)
        }
        levels[f"level{depth}"] = {"type": "string"}
        (tmp_path / "s.json").write_text(json.dumps({**_ref(0), "$defs": levels}))
        return schema_shape(tmp_path / "s.json", "s.json", "s")

    assert isinstance(of_depth(8), JsonShape)
    found = of_depth(LEVELS)
    assert isinstance(found, Diagnostic)
    assert found.message == "the fixed-length lists have more than 1000 elements in total"


def test_classes_that_refer_to_others_often_are_read_once(tmp_path: Path) -> None:
    source = "from dataclasses import dataclass\n"
    for number in range(LEVELS):
        source += f"@dataclass\nclass C{number}:\n    a: 'C{number + 1}'\n    b: 'C{number + 1}'\n"
    source += f"@dataclass\nclass C{LEVELS}:\n    x: int\n"
    (tmp_path / "wide_app.py").write_text(source)
    shape = python_shape("wide_app.C0", tmp_path, pydantic=False)
    assert isinstance(shape, JsonShape)
    for _ in range(LEVELS):
        shape = shape.members[1][1]
    assert [key for key, _ in shape.members] == ["x"]
