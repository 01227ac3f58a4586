"""Add an example to every field in the schemas, and compose examples of whole objects.

A field's own example is in its metadata: `Annotated[str, Meta(examples=["EUR"])]`. A field without
an example, such as a column of a generated row, uses the example of another field with the same
name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from inspect import cleandoc
from typing import Any, Final

import msgspec
from msgspec import inspect

from lib.errors import Code

JSON: Final = "application/json"
# Examples of the types that travel as text.
_FORMATS: Final[Mapping[str, str]] = {
    "uuid": "01890000-0000-7000-8000-0000000000aa",
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "decimal": "12.50",
}
# Columns that only generated rows have, which cannot carry metadata.
_COLUMNS: Final[Mapping[str, str]] = {
    "actor": "user:01890000-0000-7000-8000-0000000000aa",
    "changed_by": "user:01890000-0000-7000-8000-0000000000aa",
    "updated_by": "user:01890000-0000-7000-8000-0000000000aa",
    "recipient": "ada@example.com",
    "revoked_because": "logout",
    "template": "verification",
}
_WORD: Final = re.compile("[A-Z][a-z0-9]+")
# What a composed example is written in: a schema of either dialect.
_Schemas = Mapping[str, dict[str, Any]]


def components(
    types: Sequence[Any], template: str
) -> tuple[tuple[dict[str, Any], ...], dict[str, dict[str, Any]]]:
    """Return the schemas of `types` and of the types they refer to. Every field has an example."""
    schemas, found = msgspec.json.schema_components(types, ref_template=template)
    for name, field in _moments(types):
        _simple(found[name]["properties"][field])["format"] = "date-time"
    named = _named(found)
    for title, schema in found.items():
        if "description" in schema:  # a docstring, which Python 3.13 dedents and 3.11 does not
            schema["description"] = cleandoc(schema["description"])
        for name, one in schema.get("properties", {}).items():
            _give(one, named.get(name, ()), title, name)
    return schemas, found


def value_of(schema: dict[str, Any]) -> Any:
    """Return an example of a simple value by its type, or None for a text without a format."""
    if schema.get("default") not in (None, "", [], (), {}):
        return schema["default"]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type")
    if kind in ("integer", "number"):
        return _number(schema)
    return True if kind == "boolean" else _FORMATS.get(schema.get("format", ""))


def compose(schema: Mapping[str, Any], schemas: _Schemas, *, whole: bool) -> Any:
    """Return an example value for a Swagger 2.0 schema.

    Args:
        schema: the schema of an object, a list or a value.
        schemas: the schemas that `schema` refers to.
        whole: whether to include optional fields. If it is false and all fields of an object are
            optional, the example has the first field; `x-in-example` names further fields to
            include.
    """
    if "example" in schema:
        return schema["example"]
    for key in ("$ref", "allOf"):
        if key in schema:
            target = schema[key] if key == "$ref" else schema[key][0]["$ref"]
            return compose(schemas[target.rpartition("/")[2]], schemas, whole=whole)
    if schema.get("type") == "array":
        return [compose(schema.get("items", {}), schemas, whole=whole)]
    if "properties" in schema:
        names = list(schema["properties"])
        if not whole:
            kept = {*schema.get("required", ())}
            kept |= {name for name in names if "x-in-example" in schema["properties"][name]}
            names = [name for name in names if name in kept] or names[:1]
        return {name: compose(schema["properties"][name], schemas, whole=whole) for name in names}
    return value_of(dict(schema))


def failure(code: Code, schemas: _Schemas) -> Any:
    """Return the example of an error response with this code."""
    found = compose(schemas["Failure"], schemas, whole=True)
    error = found["error"] | {"code": code.value, "message": code.value.lower().replace("_", " ")}
    if code is not Code.VALIDATION_ERROR:
        del error["details"]
    return found | {"error": error}


def _moments(types: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Yield the Struct and name of each timestamp field.

    The fields need a format, because msgspec gives no format to a naive timestamp.
    """
    seen: set[Any] = set()
    left: list[Any] = list(inspect.multi_type_info(types))
    while left:
        kind = left.pop()
        if isinstance(kind, inspect.StructType):
            if kind.cls in seen:
                continue
            seen.add(kind.cls)
            for field in kind.fields:
                inner = list(_inner(field.type))
                left += inner
                if any(isinstance(one, inspect.DateTimeType) for one in inner):
                    yield kind.cls.__name__, field.encode_name
        else:
            left += (one for one in _inner(kind) if one is not kind)


def _inner(kind: Any) -> Iterator[Any]:
    """Unwrap metadata, unions and containers, and yield the types inside."""
    if isinstance(kind, inspect.Metadata):
        yield from _inner(kind.type)
    elif isinstance(kind, inspect.UnionType):
        for one in kind.types:
            yield from _inner(one)
    elif isinstance(kind, inspect.CollectionType):
        yield from _inner(kind.item_type)
    elif isinstance(kind, inspect.DictType):
        yield from _inner(kind.value_type)
    else:
        yield kind


def _simple(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a schema that describes a single value that is not null."""
    if "anyOf" in schema:
        return _simple(next(one for one in schema["anyOf"] if one.get("type") != "null"))
    items = schema.get("items")
    return _simple(items) if schema.get("type") == "array" and isinstance(items, dict) else schema


def _named(found: _Schemas) -> dict[str, list[tuple[str, Any]]]:
    """Return the examples in the metadata by field name, each with the name of its Struct."""
    named: dict[str, list[tuple[str, Any]]] = {}
    for title, schema in found.items():
        for name, one in schema.get("properties", {}).items():
            given = one.get("examples") or _simple(one).get("examples")
            if given:
                named.setdefault(name, []).append((title, given[0]))
    return named


def _give(schema: dict[str, Any], named: Sequence[tuple[str, Any]], title: str, name: str) -> None:
    """Add an example to a field without an example, unless the field is a reference."""
    simple = _simple(schema)
    if "$ref" in simple or "const" in simple or schema.get("examples") or simple.get("examples"):
        return
    found = value_of(simple)
    if found is None and named:
        words = _words(title)
        found = max(named, key=lambda one: len(words & _words(one[0])))[1]
    if found is None:
        found = _COLUMNS.get(name)
    if found is not None:
        simple["examples"] = [found]


def _words(title: str) -> set[str]:
    """`ListRolesRow` → `List`, `Role`, `Row`."""
    return {word.removesuffix("s") for word in _WORD.findall(title)}


def _number(schema: Mapping[str, Any]) -> Any:
    least = max(schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1), 1)
    return min(least, schema.get("maximum", least))
