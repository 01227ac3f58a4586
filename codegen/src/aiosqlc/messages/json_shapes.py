"""Describe the structure of JSON that a query builds, for `explain` and for editors."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiosqlc.ir import JsonKind, JsonShape, Shared

_NAMES = {
    JsonKind.OBJECT: "object",
    JsonKind.TUPLE: "tuple",
    JsonKind.ARRAY: "list",
    JsonKind.MAP: "map",
    JsonKind.ANY: "any JSON",
}
_OF = frozenset({JsonKind.ARRAY, JsonKind.MAP})
# A schema that refers to its objects many times describes more members than anyone reads.
_MOST_LINES = 200

DECLARED = "the configuration declares the structure of this stored JSON: it is not proved"


def json_lines(shape: JsonShape) -> Iterator[str]:
    """Describe the structure of a column's JSON as indented lines."""
    yield f"JSON: {_name(shape)}"
    lines = _inside(shape)
    yield from islice(lines, _MOST_LINES)
    if next(lines, None) is not None:
        yield "    …"
    if shape.declared:
        yield f"    {DECLARED}"


def _inside(shape: JsonShape) -> Iterator[str]:
    """Describe the members of an object or a tuple, or of the objects or tuples in a list."""
    while shape.kind in _OF and shape.members:
        shape = shape.members[0][1]
    if shape.kind in _OF:
        return
    for number, (key, member) in enumerate(shape.members):
        declared = ", declared" if member.declared and not shape.declared else ""
        yield f"    {key or number}: {_name(member)}{_null(member)}{declared}"
        yield from (f"    {line}" for line in _inside(member))


def _name(shape: JsonShape) -> str:
    """Name a kind of JSON: `text`, `object`, `list of object`, `map of list of int4 NULL`."""
    if shape.kind is JsonKind.SCALAR:
        return shape.type.name if shape.type else "any JSON"
    if "." in shape.name:
        return shape.name
    name = _NAMES[shape.kind]
    if shape.kind not in _OF:
        return name
    if not shape.members:
        return f"empty {name}"
    item = shape.members[0][1]
    null = " NULL" if item.nullable and item.kind is not JsonKind.ANY else ""
    return f"{name} of {_name(item)}{null}"


def _null(shape: JsonShape) -> str:
    null = "" if shape.kind is JsonKind.ANY else " NULL" if shape.nullable else " NOT NULL"
    return f"{null}, may be missing" if shape.absent else null


def json_document(shape: JsonShape) -> dict[str, Any]:
    """Return the structure of JSON as a document for machines.

    If a declared object occurs again, its second description has only the `name`, and no members.
    """
    return _document(shape, set())


def _document(shape: JsonShape, seen: set[tuple[str, Shared]]) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": shape.kind.value, "not_null": not shape.nullable}
    if shape.declared:
        found["declared"] = True
    if shape.kind is JsonKind.SCALAR and shape.type:
        found["type"] = shape.type.name
    if isinstance(shape.members, Shared):
        found["name"] = shape.name
        if (shape.name, shape.members) in seen:
            return found
        seen.add((shape.name, shape.members))
    if shape.kind is JsonKind.OBJECT:
        found["members"] = {
            key: {**_document(member, seen), "may_be_missing": member.absent}
            for key, member in shape.members
        }
    elif shape.kind is JsonKind.TUPLE:
        found["elements"] = [_document(item, seen) for _, item in shape.members]
    elif shape.members:
        found["element"] = _document(shape.members[0][1], seen)
    return found
