"""Different objects of stored JSON have different classes, and lose no member."""

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
from aiosqlc.analysis.stored import distinct_names
from aiosqlc.analysis.stored.schemas import schema_shape
from aiosqlc.ir import ColumnRef, JsonShape
from aiosqlc.messages.render import render_all
from aiosqlc.pipeline.compile import compile_project
from aiosqlc.plan.naming import camel

from tests.golden import analyzer_on
from tests.projects import loaded, write_project
from tests.servers.postgres import TestPostgres


def _object(**properties: object) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": list(properties)}


_INT, _STR = {"type": "integer"}, {"type": "string"}
_X, _Y = _object(x=_INT), _object(y=_STR)
_REF = {"$ref": "#/$defs/address"}
# The schemas of columns of `users`, and the names of the objects from the outermost one inwards.
_CASES: dict[str, tuple[dict[str, object], dict[str, list[str]]]] = {
    "a member and a column": (
        {"prefs": _object(a=_X), "prefs_a": _Y},
        {"prefs": ["prefs", "prefs_a_2"], "prefs_a": ["prefs_a"]},
    ),
    "an equal member and column": (
        {"prefs": _object(a=_X), "prefs_a": _X},
        {"prefs": ["prefs", "prefs_a"], "prefs_a": ["prefs_a"]},
    ),
    "two paths of one file": (
        {"p": _object(a=_object(b=_X), a_b=_Y)},
        {"p": ["p", "p_a", "p_a_b", "p_a_b_2"]},
    ),
    "keys that differ in letters that class names lose": (
        {"p": _object(a_b=_X, aB=_Y, a__b=_X)},
        {"p": ["p", "p_a_b", "p_aB_2", "p_a_b"]},
    ),
    "a definition and a property": (
        {"p": {**_object(address=_X, home=_REF), "$defs": {"address": _Y}}},
        {"p": ["p", "p_address", "p_address_2"]},
    ),
    "an equal definition and property": (
        {"p": {**_object(address=_X, home=_REF), "$defs": {"address": _X}}},
        {"p": ["p", "p_address", "p_address"]},
    ),
    "a number that another object has": (
        {"p": _object(a=_object(b=_X), a_b=_Y, a_b_2=_object(z=_INT))},
        {"p": ["p", "p_a", "p_a_b", "p_a_b_3", "p_a_b_2"]},
    ),
    "objects that differ only deep inside": (
        {"p": _object(a=_object(c=_X)), "p_a": _object(c=_Y)},
        {"p": ["p", "p_a_2", "p_a_c"], "p_a": ["p_a", "p_a_c_2"]},
    ),
    "a value that may be null, in one of two places": (
        {"p": {**_object(one={"anyOf": [_REF, {"type": "null"}]}, two=_REF),
               "$defs": {"address": _X}}},
        {"p": ["p", "p_address", "p_address"]},
    ),
}  # fmt: skip


def _names(shape: JsonShape) -> list[str]:
    own = [shape.name] if shape.name else []
    return own + [name for _, member in shape.members for name in _names(member)]


@pytest.mark.parametrize("case", _CASES)
def test_each_different_object_has_its_own_name(case: str, tmp_path: Path) -> None:
    schemas, names = _CASES[case]
    declared: dict[ColumnRef, JsonShape] = {}
    for column, schema in schemas.items():
        (tmp_path / "s.json").write_text(json.dumps(schema))
        shape = schema_shape(tmp_path / "s.json", "s.json", column)
        assert isinstance(shape, JsonShape)
        declared[ColumnRef("public", "users", column)] = shape
    found = distinct_names(declared, camel)
    assert {column.column: _names(shape) for column, shape in found.items()} == names


_TABLES = """
CREATE TYPE user_prefs AS ENUM ('few');
CREATE TABLE users (
    id bigint PRIMARY KEY, prefs jsonb NOT NULL, prefs_a jsonb NOT NULL, kind user_prefs
);
CREATE SCHEMA other;
CREATE TABLE other.users (id bigint PRIMARY KEY, prefs_a jsonb NOT NULL);
"""
_QUERIES = """\
-- name: Add :exec
INSERT INTO users (id, prefs, prefs_a) VALUES (@id, @prefs, @prefs_a);

-- name: GetUser :one
SELECT users.prefs, users.prefs_a, o.prefs_a AS other, users.kind
FROM users JOIN other.users o ON o.id = users.id WHERE users.id = @id;

-- name: AddOther :exec
INSERT INTO other.users (id, prefs_a) VALUES (@id, @prefs_a);
"""
_CLASH = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen:
      python:
        out: clash
        package: clash
        json:
          users.prefs: {schema: prefs.json}
          users.prefs_a: clash_app.UserPrefs
"""
_CONFIG = """\
version: "2"
sql:
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen:
      python:
        out: names_{models}
        package: names_{models}
        models: {models}
        json:
          users.prefs: {{schema: prefs.json}}
          users.prefs_a: {{schema: prefs_a.json}}
          other.users.prefs_a: {{schema: other.json}}
"""


@pytest.mark.parametrize("models", ["dataclass", "pydantic"])
def test_no_member_is_lost_between_objects_with_equal_names(
    models: str, tmp_path: Path, postgres_server: TestPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "sqlc.yaml": _CONFIG.format(models=models),
        "schema.sql": _TABLES,
        "queries.sql": _QUERIES,
        "prefs.json": json.dumps(_object(a=_X)),
        "prefs_a.json": json.dumps(_Y),
        "other.json": json.dumps(_object(z=_STR)),
    }
    project = loaded(write_project(tmp_path, files))
    url = postgres_server.create_empty()
    compiled = compile_project(project, analyzer_on(url))
    assert not compiled.failed, render_all(compiled.diagnostics)
    [warning] = compiled.diagnostics
    assert warning.message == (
        "enum `user_prefs` and stored JSON `UserPrefs` would both have a class `UserPrefs`: the"
        " second class is renamed to `UserPrefs2`"
    )
    for file in compiled.files:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_text(file.text)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_TABLES)
    monkeypatch.syspath_prepend(str(tmp_path))
    queries = importlib.import_module(f"names_{models}.queries")
    try:
        asyncio.run(_exchange(queries, sys.modules[f"names_{models}.models"], url))
    finally:
        postgres_server.drop(url)


async def _exchange(queries: Any, classes: Any, url: str) -> None:
    prefs = classes.UserPrefs2(a=classes.UserPrefsA3(x=3))
    column, other = classes.UserPrefsA(y="one"), classes.UserPrefsA2(z="two")
    connection = await asyncpg.connect(url)
    try:
        await queries.add(connection, id=1, prefs=prefs, prefs_a=column)
        await queries.add_other(connection, id=1, prefs_a=other)
        row = await queries.get_user(connection, id=1)
        assert (row.prefs, row.prefs_a, row.other) == (prefs, column, other)
        stored = await connection.fetchrow("SELECT prefs::text, prefs_a::text FROM users")
        assert [json.loads(text) for text in stored] == [{"a": {"x": 3}}, {"y": "one"}]
    finally:
        await connection.close()


def test_a_class_of_the_application_with_the_name_of_a_generated_class_is_an_error(
    tmp_path: Path, postgres_server: TestPostgres
) -> None:
    files = {
        "sqlc.yaml": _CLASH,
        "schema.sql": "CREATE TABLE users (id bigint PRIMARY KEY, prefs json, prefs_a json);",
        "queries.sql": "-- name: GetUser :one\nSELECT prefs, prefs_a FROM users WHERE id = @id;\n",
        "prefs.json": json.dumps(_X),
        "clash_app.py": "from typing import TypedDict\n\nclass UserPrefs(TypedDict):\n    y: str\n",
    }
    project = loaded(write_project(tmp_path, files))
    url = postgres_server.create_empty()
    compiled = compile_project(project, analyzer_on(url))
    postgres_server.drop(url)
    [problem] = compiled.diagnostics
    assert problem.code == "E404"
    assert problem.message.endswith(
        "both be `UserPrefs` in queries.py: `clash.models.UserPrefs` and `clash_app.UserPrefs`"
    )
