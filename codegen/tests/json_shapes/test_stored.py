"""Declared structures of stored JSON: Python classes, their members, and the resulting types."""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf, nan
from pathlib import Path
from types import ModuleType
from typing import Any

import asyncpg
import psycopg
import pytest
from aiosqlc.analysis.stored.classes import ClassProblem, python_shape
from aiosqlc.analysis.stored.schemas import schema_shape
from aiosqlc.cli.main import main
from aiosqlc.diagnostics import Diagnostic
from aiosqlc.ir import JsonShape
from aiosqlc.messages.render import render_all
from aiosqlc.pipeline.compile import compile_project
from aiosqlc.pipeline.unchanged import inputs_digest
from pydantic import BaseModel

from tests.golden import analyzer_on
from tests.json_shapes.table import spelled
from tests.projects import loaded, write_project
from tests.servers.postgres import TestPostgres

_APP = """\
import datetime
import enum
import msgspec
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, NotRequired, Optional, TypedDict
import typing_extensions
from decimal import Decimal
from app import deep
from app.deep import Elsewhere as Moved
from pydantic import BaseModel, Field

class Kind(enum.StrEnum):
    A = "a"

@dataclass
class Place:
    city: str
    zip: str | None = None

@dataclass(frozen=True)
class Everything:
    name: str
    age: int
    tall: float
    old: bool
    since: datetime.datetime
    price: Decimal
    place: Place
    kind: Kind
    anything: Any
    theme: Literal["a", "b"]
    later: "Optional[int]"
    tags: list[str]
    sizes: dict[str, int]
    constant: ClassVar[int] = 3
    more: list[str] = field(default_factory=list)

class Bag(TypedDict):
    here: int
    there: NotRequired[str]

class Loose(TypedDict, total=False):
    here: int

class Struct(msgspec.Struct, omit_defaults=True):
    x: int
    y: int | None = None

class Renamed(msgspec.Struct, rename="camel"):
    long_name: int

class Named(msgspec.Struct):
    x: int = msgspec.field(name="X")

class Below(Struct):
    z: int

class Model(BaseModel):
    x: int
    y: int = Field(gt=0)
    z: str | None = None

class Aliased(BaseModel):
    x: int = Field(alias="X")

class Configured(BaseModel):
    model_config = {"extra": "forbid"}
    x: int

class Node(msgspec.Struct):
    value: int
    next: "Node | None" = None

class Plain:
    x: int

@dataclass
class Elsewhere(deep.Elsewhere):
    x: int

@dataclass
class Mixed(deep.Place):
    x: int

@dataclass
class Loop(Loop):
    x: int

@dataclass
class Unclosed:
    x: "list[int"

class Extended(typing_extensions.TypedDict):
    here: typing_extensions.NotRequired[int]

class Defaulted(BaseModel):
    x: Annotated[int, Field(default=3)]
    y: "Annotated[Annotated[str, Field(default_factory=str)], Field(min_length=1)]"
    z: Annotated[int, Field(gt=0)]
    limited: Annotated[str, Len(1, 2)]
    empty: Annotated[()]
    both: Annotated[int, Field(default=3)] = Field(gt=0)

class AliasedInside(BaseModel):
    x: Annotated[int, Field(alias="X")]

class AliasedDeep(BaseModel):
    x: "Optional[int]"
    y: "Annotated[Annotated[int, Field(validation_alias='X')], 1]"

Alias = dict[str, int]
"""
_SHAPES = {
    "app.models.Place": "{city: text, zip?: text?}",
    "app.models.Everything": (
        "{name: text, age: int8, tall: float8, old: bool, since: timestamptz, price: numeric,"
        " place: {city: text, zip?: text?}, kind: any, anything: any, theme: text, later: int8?,"
        " tags: [text], sizes: {*: int8}, more?: [text]}"
    ),
    "app.models.Bag": "{here: int8, there?: text}",
    "app.models.Loose": "{here?: int8}",
    "app.models.Struct": "{x: int8, y?: int8?}",
    "app.models.Renamed": "any",
    "app.models.Named": "any",
    "app.models.Below": "{x: int8, y?: int8?, z: int8}",
    "app.models.Node": "{value: int8, next?: any}",
    "app.models.Plain": "any",
    "app.models.Alias": "any",
    "app.models.Moved": "{deep: int8}",
    "app.models.Elsewhere": "any",
    "app.models.Mixed": "any",
    "app.models.Extended": "{here?: int8}",
    "app.deep.Elsewhere": "{deep: int8}",
    "list[app.models.Place]": "[{city: text, zip?: text?}]",
    "dict[str, app.models.Bag]": "{*: {here: int8, there?: text}}",
    "app.models.Place | None": "{city: text, zip?: text?}?",
    "dict[str, int]": "{*: int8}",
    "list": "[any]",
    "str": "text",
    "datetime": "timestamptz",
    "Literal['a', 'b']": "text",
}
_OF_PYDANTIC = {
    "app.models.Model": "{x: int8, y: int8, z?: text?}",
    "app.models.Aliased": "any",
    "app.models.Defaulted": "{x?: int8, y?: text, z: int8, limited: text, empty: any, both?: int8}",
    "app.models.AliasedInside": "any",
    "app.models.AliasedDeep": "any",
    "app.models.Configured": "any",
    "app.models.Place": "{city: text, zip?: text?}",
}
_REFUSED = {
    ("app.models.Model", False): "`Model` is a pydantic class, but msgspec decodes the JSON",
    ("app.models.Struct", True): "`Struct` is a class of msgspec, but pydantic decodes the JSON",
    ("app.models.Plaice", False): "the module `app.models` has no `Plaice`",
    ("app.wrong.Place", False): "there is no module `app.wrong`",
    (
        "app.broken.Place",
        False,
    ): "cannot read the module `app.broken`: '(' was never closed (line 1)",
    ("list[app.models.Nothing]", False): "the module `app.models` has no `Nothing`",
    ("app.models.Loop", False): "the structure of `app.models.Loop` is nested too deeply",
    ("app.models.Unclosed", False): (
        "cannot read the annotation `list[int` of the module `app.models`, line 91"
    ),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project's folder with a package `app`."""
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "models.py").write_text(_APP)
    (tmp_path / "app" / "broken.py").write_text("class Place(")
    deep = "import attrs\n\n@attrs.define\nclass Elsewhere:\n    deep: int\n"
    (tmp_path / "app" / "deep.py").write_text(deep)
    return tmp_path


def _spelled(shape: JsonShape | ClassProblem | Diagnostic) -> str:
    return spelled(shape) if isinstance(shape, JsonShape) else shape.message


@pytest.mark.parametrize("text", _SHAPES)
def test_a_class_has_the_structure_that_its_source_shows(text: str, folder: Path) -> None:
    assert _spelled(python_shape(text, folder, pydantic=False)) == _SHAPES[text]


@pytest.mark.parametrize("text", _OF_PYDANTIC)
def test_a_class_that_pydantic_decodes_has_the_structure_of_its_source(
    text: str, folder: Path
) -> None:
    assert _spelled(python_shape(text, folder, pydantic=True)) == _OF_PYDANTIC[text]


@pytest.mark.parametrize(("text", "pydantic"), _REFUSED)
def test_a_class_that_cannot_be_read_or_decoded_is_refused(
    text: str, pydantic: bool, folder: Path
) -> None:
    assert _spelled(python_shape(text, folder, pydantic=pydantic)) == _REFUSED[text, pydantic]


_PAIR = '"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}]'
_SCHEMAS = {
    '{"type": "string"}': "text",
    '{"type": ["integer", "null"]}': "int8?",
    '{"type": "number"}': "float8",
    '{"type": "string", "format": "uuid"}': "uuid",
    '{"type": "string", "format": "email"}': "text",
    "{}": "any",
    "true": "any",
    '{"type": "array", "items": {"type": "boolean"}}': "[bool]",
    f'{{{_PAIR}, "minItems": 2, "items": false}}': "(text, int8)",
    f'{{{_PAIR}, "minItems": 2, "maxItems": 2}}': "(text, int8)",
    f"{{{_PAIR}}}": "[any]",
    f'{{{_PAIR}, "items": false}}': "[any]",
    f'{{{_PAIR}, "minItems": 2}}': "[any]",
    f'{{{_PAIR}, "minItems": 1, "maxItems": 2}}': "[any]",
    f'{{{_PAIR}, "minItems": "2", "maxItems": "2"}}': "[any]",
    '{"prefixItems": [{"type": "strng"}]}': "`strng` is not a type of JSON",
    '{"type": "object"}': "{*: any}",
    '{"type": "object", "additionalProperties": false}': "{*: any}",
    '{"additionalProperties": {"type": "integer"}, "type": "object"}': "{*: int8}",
    '{"properties": {"a": {}, "b": {"type": "null"}}}': (
        "a value must have exactly one type besides `null`"
    ),
    '{"properties": {"a": {}, "b": {"type": "string"}}, "required": ["b"]}': "{a?: any, b: text}",
    '{"enum": ["a", null]}': "text?",
    '{"enum": [1, 2]}': "int8",
    '{"enum": [1e5]}': "float8",
    '{"const": 1E2}': "float8",
    '{"const": "1E2"}': "text",
    '{"enum": [1, 2.5, null]}': "float8?",
    '{"enum": ["\\ud83d\\ude00", "\\/"]}': "text",
    '{"properties": {"\\u00e9": {"const": "null"}}}': "{é?: text}",
    '{"const": "\\ud83d"}': "this text is not valid Unicode",
    f'{{"const": {"9" * 5000}}}': "this JSON cannot be read",
    '"true"': "a schema must be a JSON object",
    '{"enum": [1, "a"]}': "the choices must have one type: texts, numbers or booleans",
    '{"enum": []}': "the choices must have one type: texts, numbers or booleans",
    '{"const": "a"}': "text",
    '{"oneOf": [{"type": "null"}, {"type": "string"}]}': "text?",
    '{"anyOf": [{"$ref": "#/$defs/a"}, {"type": "null"}], "$defs": {"a": {"type": "string"}}}': (
        "text?"
    ),
    '{"$ref": "other.json"}': "`other.json` is not in this file",
    '{"$ref": "#"}': "`#` contains itself",
    '{"properties": {"a": {"items": {"$ref": "#"}}}}': "`#` contains itself",
    '{"properties": {"a": {}}, "required": true}': "`required` must be a list",
    '{"type": 3}': "`3` is not a type of JSON",
    '{"type": {}}': "`type` must be a text or a list of texts",
    '{"allOf": []}': "the keyword `allOf` is not supported",
    '{"if": {}}': "the keyword `if` is not supported",
    '{"minLength": 3, "type": "string"}': "text",
    "": "invalid JSON: Expecting value",
    '"text"': "a schema must be a JSON object",
    '{\n\t"type": "string"\n}': "text",
    '{"type": "string", "title": "\\ud83d\\ude00 \\/"}': "text",
    '{"properties": []}': "`properties` must be a JSON object",
    '{"type": "array", "items": [{"type": "string"}]}': "a schema must be a JSON object",
}


@pytest.mark.parametrize("text", _SCHEMAS, ids=lambda text: text[:60])
def test_a_schema_has_the_structure_of_its_keywords(text: str, tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(text)
    assert _spelled(schema_shape(tmp_path / "s.json", "s.json", "name")) == _SCHEMAS[text]


def test_the_choices_of_a_schema_are_the_texts_that_json_has(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps({"enum": ["😀", "1e5", "a/b", "\t"]}))
    shape = schema_shape(tmp_path / "s.json", "s.json", "name")
    assert isinstance(shape, JsonShape)
    assert shape.type
    assert shape.type.labels == ("😀", "1e5", "a/b", "\t")


@pytest.mark.parametrize("levels", [70, 300, 5_000, 100_000])
def test_a_deep_schema_is_one_error(levels: int, tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text('{"items": ' * levels + "{}" + "}" * levels)
    found = schema_shape(tmp_path / "s.json", "s.json", "name")
    assert _spelled(found) == "the schema is nested more than 64 levels deep"


def test_references_that_nest_deeply_are_one_error(tmp_path: Path) -> None:
    chain = {f"a{n}": {"items": {"$ref": f"#/$defs/a{n + 1}"}} for n in range(300)}
    chain["a300"] = {}
    (tmp_path / "s.json").write_text(json.dumps({"$ref": "#/$defs/a0", "$defs": chain}))
    found = schema_shape(tmp_path / "s.json", "s.json", "name")
    assert _spelled(found) == "the schema is nested more than 64 levels deep"


# --- values at the limits ------------------------------------------------------------------------


@pytest.fixture(params=["msgspec", "pydantic"])
def stored(request: pytest.FixtureRequest) -> ModuleType:
    """Return the module of a generated package for a library."""
    return importlib.import_module(f"aiosqlc.emit.written.stored_{request.param}")


@pytest.mark.parametrize("levels", [900, 20_000])
def test_a_value_that_is_too_deep_is_an_error_of_the_stored_value(
    stored: ModuleType, levels: int
) -> None:
    text = '{"a":' * levels + "1.5" + "}" * levels
    for kind in (dict[str, int], Any):
        with pytest.raises(stored.StoredJsonError, match="Get, a: "):
            _below(800, lambda kind=kind: stored.read_stored_as(text, kind, "Get, a"))
    value: Any = 1.5
    for _ in range(levels):
        value = [value]
    with pytest.raises(stored.StoredJsonError, match="Get, a: "):
        _below(800, lambda: stored.convert_stored_as(value, list[int], "Get, a"))


def _below(frames: int, call: Callable[[], Any]) -> Any:
    """Call a function with this number of frames on the stack, as in a deep program."""
    return _below(frames - 1, call) if frames else call()


@pytest.mark.parametrize(
    ("text", "kind", "wanted"),
    [
        ("1.0", int, 1),
        ("-20.00", int, -20),
        ('{"1.0": [10.0, 3]}', dict[str, list[int]], {"1.0": [10, 3]}),
        ('{"a\\"1.0": "2.0"}', dict[str, str], {'a"1.0': "2.0"}),
        ("1.0", float, 1.0),
    ],
)
def test_a_whole_number_with_a_fraction_of_zero_is_an_integer(
    stored: ModuleType, text: str, kind: Any, wanted: object
) -> None:
    assert stored.read_stored_as(text, kind, "Get, a") == wanted
    assert stored.convert_stored_as(json.loads(text), kind, "Get, a") == wanted


@pytest.mark.parametrize("text", ["1.5", "1.05", '"1.0"', "[1.0]", "1.0.0", "01.0", "1.0e"])
def test_another_value_is_no_integer(stored: ModuleType, text: str) -> None:
    with pytest.raises(stored.StoredJsonError, match="Get, a: "):
        stored.read_stored_as(text, int, "Get, a")


@dataclass
class _Rated:
    rate: float | None
    name: str | None = None


class _Model(BaseModel):
    rate: float


@pytest.mark.parametrize("number", [inf, -inf, nan])
def test_a_number_that_json_cannot_represent_is_not_written(
    stored: ModuleType, number: float
) -> None:
    values = [number, {"a": [None, (1.5, number)]}, [_Rated(number)], {"s": {1.5, number}}]
    values += [_Model(rate=number)] if stored.__name__.endswith("pydantic") else []
    for value in values:
        for write in (stored.write_stored, stored.write_members):
            with pytest.raises(stored.StoredJsonError, match=f"the number {number}"):
                write(value)


def test_a_text_that_names_such_a_number_is_written(stored: ModuleType) -> None:
    value = {"a": "NaN, Infinity or null", "b": None, "c": [_Rated(None)]}
    assert json.loads(stored.write_stored(value))["a"] == value["a"]


# --- on a server ----------------------------------------------------------------------------------

_TABLES = """
CREATE TABLE users (id bigint PRIMARY KEY, place jsonb NOT NULL, places json, bag jsonb);
CREATE TABLE rate (id int, sizes jsonb NOT NULL, counts jsonb NOT NULL, one jsonb);
"""
_QUERIES = """\
-- name: Add :exec
INSERT INTO users (id, place, places, bag) VALUES ($1, $2, $3, $4);

-- name: Raw :exec
UPDATE users SET place = (@place::text)::jsonb;

-- name: ListAll :many
SELECT id, place, places, bag, place -> 'city' AS city, place -> 'zip' AS zip,
    places -> 0 AS first, places -> 0 -> 'city' AS first_city, bag -> 'here' AS here
FROM users ORDER BY id;

-- name: Find :many
SELECT id FROM users WHERE place = ANY (sqlc.slice(places));

-- name: Built :many
SELECT jsonb_build_object('place', place, 'bag', bag, 'city', place ->> 'city') AS doc FROM users;

-- name: AddRate :exec
INSERT INTO rate VALUES (1, @sizes, @counts, NULL);

-- name: RawRate :exec
INSERT INTO rate VALUES (1, '{"a": [1, 2.50]}', (@counts::text)::jsonb, '3.0');

-- name: ListRates :many
SELECT counts, one FROM rate;

-- name: BuiltRates :many
SELECT to_jsonb(rate) AS doc FROM rate;

-- name: AllRates :one
SELECT json_agg(counts) AS counts FROM rate;
"""
_ENTRY = """\
  - engine: postgresql
    schema: schema.sql
    queries: queries.sql
    gen:
      python:
        out: stored_{models}
        package: stored_{models}
        models: {models}
        driver: {driver}
        typed_json: true
        json:
          users.place: stored_app.Place
          users.places: list[stored_app.Place]
          users.bag: {bag}
          rate.sizes: "dict[str, list[float]]"
          rate.counts: "dict[str, int]"
          rate.one: int
"""
_STORED_APP = """\
from dataclasses import dataclass

import msgspec
from pydantic import BaseModel
from typing_extensions import TypedDict


@dataclass
class Place:
    city: str
    zip: str | None = None


class Bag(TypedDict):
    here: int


class Struct(msgspec.Struct):
    here: int


class Model(BaseModel):
    here: int
"""
_BAGS = {
    "dataclass": "stored_app.Bag",
    "attrs": "stored_app.Bag",
    "msgspec": "stored_app.Struct",
    "pydantic": "stored_app.Model",
}


def _config(bag: str) -> str:
    entry = _ENTRY.format(models="msgspec", driver="asyncpg", bag=bag)
    return f'version: "2"\nsql:\n{entry}'


@pytest.fixture(scope="module")
def modules(
    postgres_server: TestPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[dict[str, ModuleType], str, Path]]:
    """The queries compiled for each of the models, and the URL of a database with the tables."""
    folder = tmp_path_factory.mktemp("stored")
    entries = "".join(_ENTRY.format(models=m, driver="asyncpg", bag=_BAGS[m]) for m in _BAGS)
    files = {
        "sqlc.yaml": f'version: "2"\nsql:\n{entries}',
        "schema.sql": _TABLES,
        "queries.sql": _QUERIES,
        "stored_app.py": _STORED_APP,
    }
    project = loaded(write_project(folder, files))
    scratch = postgres_server.create_empty()
    compiled = compile_project(project, analyzer_on(scratch))
    assert not compiled.diagnostics, render_all(compiled.diagnostics)
    for file in compiled.files:
        file.path.parent.mkdir(parents=True, exist_ok=True)
        file.path.write_text(file.text)
    url = postgres_server.create_empty()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_TABLES)
    sys.path.insert(0, str(folder))
    try:
        yield {m: importlib.import_module(f"stored_{m}.queries") for m in _BAGS}, url, folder
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.startswith("stored_")]:
            del sys.modules[name]
        postgres_server.drop(scratch)
        postgres_server.drop(url)


async def _exchange(queries: ModuleType, models: str, url: str) -> None:
    app: Any = sys.modules["stored_app"]
    bag = {"here": 7} if models in {"dataclass", "attrs"} else None
    bag = bag or (app.Struct(here=7) if models == "msgspec" else app.Model(here=7))
    ann, bob = app.Place("Oslo", "0150"), app.Place("Bergen")
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("TRUNCATE users")
        await queries.add(connection, id=1, place=ann, places=[bob, ann], bag=bag)
        await queries.add(connection, id=2, place=bob, places=None, bag=None)
        first, second = await queries.list_all(connection)
        assert (first.place, first.places, first.bag) == (ann, [bob, ann], bag)
        assert (first.city, first.zip, first.first) == ("Oslo", "0150", bob)
        assert (first.first_city, first.here) == ("Bergen", 7)
        assert (second.place, second.places, second.bag) == (bob, None, None)
        assert (second.zip, second.first, second.here) == (None, None, None)
        assert await queries.find(connection, places=[bob]) == [2]
        one, _ = sorted(
            await queries.built(connection), key=lambda doc: str(doc.city), reverse=True
        )
        assert (one.place, one.bag, one.city) == (ann, bag, "Oslo")
        error = sys.modules[f"stored_{models}.stored_json"].StoredJsonError  # type: ignore[attr-defined]
        for wrong in ('{"city": 3}', "{}", "[]", "null", '{"city": null}'):
            await queries.raw(connection, place=wrong)
            with pytest.raises(error, match=r"ListAll\.(place|city): "):
                await queries.list_all(connection)
    finally:
        await connection.close()


@pytest.mark.parametrize("models", _BAGS)
def test_a_class_is_read_strictly_and_written(
    models: str, modules: tuple[dict[str, ModuleType], str, Path]
) -> None:
    asyncio.run(_exchange(modules[0][models], models, modules[1]))


async def _exchange_numbers(queries: ModuleType, models: str, url: str) -> None:
    error = sys.modules[f"stored_{models}.stored_json"].StoredJsonError  # type: ignore[attr-defined]
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("TRUNCATE rate")
        for wrong in (inf, -inf, nan):
            with pytest.raises(error, match=f"JSON cannot represent the number {wrong}"):
                await queries.add_rate(connection, sizes={"a": [1.5, wrong]}, counts={})
        await queries.raw_rate(connection, counts='{"a": 1.0, "b": -20.00}')
        wanted = {"a": 1, "b": -20}
        assert [(row.counts, row.one) for row in await queries.list_rates(connection)] == [
            (wanted, 3)
        ]
        [doc] = await queries.built_rates(connection)
        assert (doc.sizes, doc.counts, doc.one) == ({"a": [1, 2.5]}, wanted, 3)
        assert type(doc.counts["a"]) is int
        assert await queries.all_rates(connection) == [wanted]
        await connection.execute("UPDATE rate SET counts = '{\"a\": 1.5}'")
        for read in (queries.list_rates, queries.built_rates, queries.all_rates):
            with pytest.raises(ValueError, match=r"(?i)int"):
                await read(connection)
    finally:
        await connection.close()


@pytest.mark.parametrize("models", _BAGS)
def test_numbers_are_alike_alone_and_in_built_json(
    models: str, modules: tuple[dict[str, ModuleType], str, Path]
) -> None:
    asyncio.run(_exchange_numbers(modules[0][models], models, modules[1]))


def test_a_declared_structure_is_not_a_proof(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {
        "sqlc.yaml": _config("stored_app.Bag"),
        "schema.sql": _TABLES,
        "queries.sql": (
            "-- name: List :many\nSELECT place ->> 'city' AS city, place, bag -> 'here' AS here,"
            " jsonb_build_object('p', place) AS doc FROM users;\n"
        ),
        "stored_app.py": _STORED_APP,
    }
    config = write_project(tmp_path, files)
    assert main(["explain", "-f", str(config), "List"]) == 0
    said = capsys.readouterr().out
    assert "city: text NOT NULL, as declared for the stored JSON" in said
    assert "JSON: stored_app.Place" in said
    assert "declares the structure of this stored JSON: it is not proved" in said
    assert "here: jsonb NULL" in said
    assert "p: stored_app.Place NOT NULL, declared" in said


def test_a_changed_class_or_schema_is_compiled_again(tmp_path: Path) -> None:
    files = {
        "sqlc.yaml": _config("{schema: bag.json}"),
        "schema.sql": _TABLES,
        "queries.sql": _QUERIES,
        "stored_app.py": _STORED_APP,
        "bag.json": "{}",
    }
    project = loaded(write_project(tmp_path, files))
    before = inputs_digest(project)
    (tmp_path / "bag.json").write_text('{"type": "object"}')
    between = inputs_digest(project)
    (tmp_path / "stored_app.py").write_text(_STORED_APP.replace("here: int", "here: str"))
    assert len({before, between, inputs_digest(project)}) == 3


# --- constraints ----------------------------------------------------------------------------------

_CHECKS = {
    "CHECK (jsonb_typeof(place) = 'array')": "array",
    "CONSTRAINT c CHECK (jsonb_typeof(place) = 'object')": "",
    "CHECK (place IS NOT NULL AND jsonb_typeof(place) = 'array')": "array",
    "CHECK (jsonb_typeof(place) = 'array' OR id = 1)": "",
    "CHECK (NOT jsonb_typeof(place) = 'array')": "",
    "CHECK (jsonb_typeof(place) <> 'array')": "",
    "CHECK (jsonb_typeof(bag) = 'string')": "string",
    "CHECK (jsonb_typeof(place -> 'city') = 'string')": "",
    "CHECK (json_typeof(places) = 'object')": "object",
}


@pytest.mark.parametrize("check", _CHECKS)
def test_a_check_that_requires_another_kind_of_json_is_an_error(
    check: str, tmp_path: Path, postgres_server: TestPostgres
) -> None:
    files = {
        "sqlc.yaml": _config("stored_app.Bag"),
        "schema.sql": _TABLES.replace("bag jsonb", f"bag jsonb, {check}"),
        "queries.sql": "-- name: One :many\nSELECT id FROM users;\n",
        "stored_app.py": _STORED_APP,
    }
    project = loaded(write_project(tmp_path, files))
    url = postgres_server.create_empty()
    compiled = compile_project(project, analyzer_on(url))
    postgres_server.drop(url)
    wrong = _CHECKS[check]
    assert [item.code for item in compiled.diagnostics] == (["E375"] if wrong else [])
    if wrong:
        [problem] = compiled.diagnostics
        assert f"to be a JSON {wrong}, and not a JSON " in problem.message
        assert problem.labels[0].file.path.name == "sqlc.yaml"
