"""The representation of values by a driver: the names of its type, in Python and in JavaScript."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.soundness.model import Kind
from bench.soundness.spelling import spelled

_INTEGERS = ("int2", "int4", "int8", "oid")
_TEXTS = ("text", "varchar", "bpchar", "name", "char", "citext", "xml", "unknown")
_PYTHON: Mapping[str, str] = {
    **dict.fromkeys(_INTEGERS, "int"),
    **dict.fromkeys(_TEXTS, "str"),
    **dict.fromkeys(("float4", "float8"), "float"),
    **dict.fromkeys(("timestamp", "timestamptz"), "datetime"),
    **dict.fromkeys(("time", "timetz"), "time"),
    "numeric": "Decimal",
    "bool": "bool",
    "date": "date",
    "interval": "timedelta",
    "uuid": "UUID",
    "bytea": "bytes",
}
# As `pg` and `postgres` parse values unless they are configured.
_JAVASCRIPT: Mapping[str, str] = {
    **dict.fromkeys(("int2", "int4", "oid", "float4", "float8"), "number"),
    **dict.fromkeys((*_TEXTS, "int8", "numeric", "uuid", "time", "timetz"), "string"),
    **dict.fromkeys(("date", "timestamp", "timestamptz"), "Date"),
    "bool": "boolean",
    "bytea": "Buffer",
}
_JSON = ("json", "jsonb")
_ELEMENT = re.compile(r'"((?:[^"\\]|\\.)*)"|([^{},"]+)')


@dataclass(frozen=True, slots=True)
class ServerType:
    """A type of the server; `element` is set for an array, `labels` for an enum."""

    name: str
    element: ServerType | None = None
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Driver:
    """The representation of values by a driver. `parses_json` is whether JSON becomes objects."""

    scalars: Mapping[str, str]
    text: str
    parses_json: bool


ASYNCPG = Driver(_PYTHON, "str", parses_json=False)
PSYCOPG = Driver(_PYTHON, "str", parses_json=True)
NODE = Driver(_JAVASCRIPT, "string", parses_json=True)
# The names that a value of JSON has.
_NUMBERS = {"str": ("int", "float"), "string": ("number", "number")}
_TRUTH = {"str": "bool", "string": "boolean"}
# A wider type that takes the values of a narrower one.
_TAKEN_AS = {"int": ("float",)}


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a value does not have a type: the category, and where it is wrong."""

    category: str
    text: str


def scalar_of(kind: ServerType, driver: Driver) -> str | None:
    """Return the name of a scalar's type in a driver's language, None if this table has none."""
    return driver.text if kind.labels else driver.scalars.get(kind.name)


def unlike(claimed: Kind, kind: ServerType, text: str | None, driver: Driver) -> Finding | None:
    """Return how a value of the server contradicts a claimed type, None if it has that type.

    A value whose type is in no table is not compared.
    """
    if text is None:
        return None if claimed.nullable else Finding("null", f"NULL, but {spelled(claimed)}")
    if claimed.name == "any":
        return None
    if claimed.name == "union":
        found = [unlike(item, kind, text, driver) for item in claimed.items]
        return None if None in found else found[0]
    if kind.element:
        return _unlike_array(claimed, kind.element, text, driver)
    if kind.name in _JSON:
        if not driver.parses_json:
            return None if claimed.name == driver.text else _wrong(claimed, "a text of JSON", text)
        return unlike_json(claimed, json.loads(text), driver)
    name = scalar_of(kind, driver)
    if name is None:
        return None
    if claimed.name != name and claimed.name not in _TAKEN_AS.get(name, ()):
        return _wrong(claimed, name, text)
    if claimed.values and text not in claimed.values and name != _TRUTH[driver.text]:
        return _wrong(claimed, name, text)
    return None


def _wrong(claimed: Kind, name: str, text: object) -> Finding:
    return Finding("type", f"{name} {str(text)[:60]!r}, but {spelled(claimed)}")


def _unlike_array(claimed: Kind, kind: ServerType, text: str, driver: Driver) -> Finding | None:
    if claimed.name != "list":
        return _wrong(claimed, "array", text)
    item = claimed.items[0]
    while item.name == "list":  # the server does not keep the number of dimensions
        item = item.items[0]
    for element in elements(text):
        if element is None:
            if not item.nullable:
                return Finding("element", f"NULL in {text[:60]}, but {spelled(claimed)}")
        elif found := unlike(item, kind, element, driver):
            return found
    return None


def elements(array: str) -> list[str | None]:
    """Return the elements of an array as the server writes it, without its nesting."""
    body = array.partition("=")[2] if array.startswith("[") else array
    return [
        re.sub(r"\\(.)", r"\1", quoted) if bare == "" else None if bare == "NULL" else bare
        for quoted, bare in _ELEMENT.findall(body)
    ]


def unlike_json(claimed: Kind, value: Any, driver: Driver, place: str = "$") -> Finding | None:
    """Return how a value of JSON contradicts a claimed type."""
    if claimed.name == "any" or (value is None and claimed.nullable):
        return None
    if claimed.name == "union":
        found = [unlike_json(item, value, driver, place) for item in claimed.items]
        return None if None in found else found[0]
    if value is None:
        return Finding("inside", f"{place} is null, but {spelled(claimed)}")
    parts: list[tuple[Kind, Any, str]]
    if isinstance(value, dict):
        if claimed.name not in {"object", "map"}:
            return Finding("inside", f"{place} is an object, but {spelled(claimed)}")
        if claimed.name == "map":
            parts = [(claimed.items[0], item, f"{place}.{key}") for key, item in value.items()]
        else:
            pairs = zip(claimed.keys, claimed.items, strict=True)
            missing = set(claimed.keys) - value.keys() - claimed.absent
            if missing:
                return Finding("inside", f"{place} has no {min(missing)}")
            parts = [(item, value[key], f"{place}.{key}") for key, item in pairs if key in value]
    elif isinstance(value, list):
        if claimed.name == "tuple" and len(claimed.items) == len(value):
            parts = [(k, v, f"{place}[]") for k, v in zip(claimed.items, value, strict=True)]
        elif claimed.name == "list":
            parts = [(claimed.items[0], item, f"{place}[]") for item in value]
        else:
            return Finding("inside", f"{place} is an array, but {spelled(claimed)}")
    else:
        return _unlike_leaf(claimed, value, driver, place)
    found = [unlike_json(kind, item, driver, where) for kind, item, where in parts]
    return next((one for one in found if one), None)


def _unlike_leaf(claimed: Kind, value: object, driver: Driver, place: str) -> Finding | None:
    names = {bool: _TRUTH[driver.text], str: driver.text}
    whole, real = _NUMBERS[driver.text]
    name = names.get(type(value)) or (whole if isinstance(value, int) else real)
    fits = claimed.name == name or claimed.name in _TAKEN_AS.get(name, ())
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    if fits and (not claimed.values or shown in {text.lower() for text in claimed.values}):
        return None
    return Finding("inside", f"{place} is {name} {str(value)[:60]!r}, but {spelled(claimed)}")
