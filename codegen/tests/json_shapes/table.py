"""Check the shapes of JSON: by a table of expected shapes, and by documents of a real server."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from keyword import iskeyword
from pathlib import Path
from typing import Any
from uuid import UUID

import attrs
import msgspec
from aiosqlc.ir import JsonKind, JsonShape
from pydantic import BaseModel

HERE = Path(__file__).parent
WORLD, ROWS = (HERE / "world.sql").read_text(), (HERE / "rows.sql").read_text()
NONE = "none"
_INTEGERS, _FLOATS = {"int2", "int4", "int8"}, {"float4", "float8"}
_LAST, _FIRST = datetime.max, datetime.min  # noqa: DTZ901 - as columns have them
_ENDLESS = {"infinity": _LAST, "-infinity": _FIRST}
_MOMENTS = {"date", "timestamp", "timestamptz"}


@dataclass(frozen=True, slots=True)
class Case:
    """A query whose column `doc` is JSON, and its shape: `none` if it is unknown."""

    name: str
    says: str
    sql: str
    shape: str


def cases(file: str, first: int = 1) -> list[Case]:
    """Return the cases of a table; their functions are called case1, case2, …"""
    listed = tomllib.loads((HERE / file).read_text())["case"]
    return [Case(f"Case{number}", **case) for number, case in enumerate(listed, first)]


def queries(table: list[Case]) -> str:
    """Return the table as a file of queries."""
    return "\n".join(f"-- name: {case.name} :many\n{case.sql};\n" for case in table)


def spelled(shape: JsonShape | None) -> str:
    """Return a shape in the notation of the table."""
    if shape is None:
        return NONE
    if shape.kind is JsonKind.ANY:
        return "any"
    inside = ", ".join(
        f"{key}{'?' * member.absent}: {spelled(member)}" if key else spelled(member)
        for key, member in shape.members
    )
    around = {
        JsonKind.OBJECT: f"{{{inside}}}",
        JsonKind.MAP: f"{{*: {inside}}}",
        JsonKind.ARRAY: f"[{inside}]",
        JsonKind.TUPLE: f"({inside})",
        JsonKind.SCALAR: _scalar_name(shape),
    }
    return around[shape.kind] + ("?" if shape.nullable else "")


def _scalar_name(shape: JsonShape) -> str:
    """Return the name of a scalar's type; TINYINT(1) is a boolean."""
    kind = shape.type
    return "?" if kind is None else "bool" if kind.length == 1 else kind.name


def meant(text: str, shape: JsonShape) -> object:
    """Return the value of a document, decoded without our code; it must have the shape."""
    return _meant(json.loads(text, parse_float=Decimal), shape)


def _meant(raw: Any, shape: JsonShape) -> object:
    if shape.kind is JsonKind.ANY:
        return _anything(raw)
    if raw is None:
        assert shape.nullable, f"null, but {spelled(shape)}"
        return None
    inside = [member for _, member in shape.members]
    if isinstance(raw, str) and shape.kind is not JsonKind.SCALAR:
        assert shape.type, "a text that is not expected"
        raw = json.loads(raw, parse_float=Decimal)
    if shape.kind is JsonKind.OBJECT and _is_dict(shape):
        return _anything(raw)
    if shape.kind is JsonKind.OBJECT:
        needed = {key for key, member in shape.members if not member.absent}
        assert needed <= raw.keys() <= dict(shape.members).keys(), raw
        found = {key: _meant(raw[key], of) for key, of in shape.members if key in raw}
        return {**dict.fromkeys(dict(shape.members)), **found}
    if shape.kind is JsonKind.MAP:
        return {key: _meant(item, inside[0]) for key, item in raw.items()}
    if shape.kind is JsonKind.TUPLE:
        return [_meant(*pair) for pair in zip(raw, inside, strict=True)]
    if shape.kind is JsonKind.ARRAY:
        assert isinstance(raw, list), raw
        assert inside or not raw, raw
        return [_meant(item, inside[0]) for item in raw]
    assert shape.type
    of = shape.type
    return _scalar(raw, of.name) if of.schema else _mysql_scalar(raw, _scalar_name(shape))


def _mysql_scalar(raw: Any, kind: str) -> object:
    if kind == "bool":
        assert type(raw) in {bool, int}, raw
        return bool(raw)
    if kind.endswith("int"):
        assert type(raw) is int, raw
        return raw
    if kind in {"float", "double"}:
        return float(raw)
    if kind == "decimal":
        assert isinstance(raw, Decimal | int), raw
        return Decimal(raw)
    assert isinstance(raw, str), raw
    if kind == "time":
        hours, minutes, seconds = raw.removeprefix("-").split(":")
        span = timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds))
        return -span if raw.startswith("-") else span
    others: Mapping[str, Any] = {
        "date": date.fromisoformat,
        "datetime": datetime.fromisoformat,
        "timestamp": datetime.fromisoformat,
        "uuid": UUID,
    }
    return others[kind](raw) if kind in others else raw


def _is_dict(shape: JsonShape) -> bool:
    """Return whether an object has no class, because a key cannot be an attribute."""
    return not all(key.isidentifier() and not iskeyword(key) for key, _ in shape.members)


def _scalar(raw: Any, kind: str) -> object:
    if kind == "bool" or kind in _INTEGERS:
        assert type(raw) is (bool if kind == "bool" else int), raw
        return raw
    if kind in _FLOATS:
        return float(raw)
    if kind == "numeric":
        return Decimal(raw)
    assert isinstance(raw, str), raw
    if kind in _MOMENTS:
        last = _ENDLESS.get(raw)
        found = last or datetime.fromisoformat(raw)
        return found.date() if kind == "date" else _moment(found)
    others: Mapping[str, Any] = {
        "time": time.fromisoformat,
        "uuid": UUID,
        "bytea": lambda text: bytes.fromhex(text.removeprefix("\\x")),
    }
    return others[kind](raw) if kind in others else raw


def _moment(value: datetime) -> datetime:
    return value.astimezone(UTC) if value.tzinfo else value


def _anything(raw: Any) -> object:
    if isinstance(raw, Decimal):
        return float(raw)
    if isinstance(raw, dict):
        return {key: _anything(item) for key, item in raw.items()}
    return [_anything(item) for item in raw] if isinstance(raw, list) else raw


def plain(value: Any) -> object:
    """Return a value of generated classes as dictionaries and lists."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, date):
        return value
    if names := _attributes(value):
        return plain({name: getattr(value, name) for name in names})
    if isinstance(value, dict):
        return {key: plain(value[key]) for key in sorted(value)}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def _attributes(value: Any) -> list[str]:
    """Return the names of an object's attributes, or none if it has no class."""
    kind: Any = type(value)
    if isinstance(value, msgspec.Struct):
        return list(value.__struct_fields__)
    if isinstance(value, BaseModel):
        return list(kind.model_fields)
    if attrs.has(kind):
        return [item.name for item in attrs.fields(kind)]
    return [item.name for item in fields(kind)] if is_dataclass(kind) else []
