"""Operations on the shapes (inferred structures) of JSON values, for all engines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from aiosqlc.ir import ColumnRef, JsonKind, JsonShape, JsonStep

ANY = JsonShape(JsonKind.ANY, nullable=True)
"""The shape of a JSON value about which nothing is known."""
EMPTY, EMPTY_OBJECT = JsonShape(JsonKind.ARRAY), JsonShape(JsonKind.MAP)
NULL = JsonShape(JsonKind.ARRAY, nullable=True)
"""The shape of an expression that is always NULL in SQL."""


def handed_on(shape: JsonShape | None) -> JsonShape | None:
    """Return a JSON value's shape after an expression or join that may turn the value into NULL.

    Only the shape of a path into stored JSON becomes nullable here. The nullability of other values
    is proved elsewhere.
    """
    return replace(shape, nullable=True) if shape and shape.path else shape


def text_of(stored: JsonShape) -> JsonShape:
    """Return the shape of a member of stored JSON that is read as text, as with `->>`."""
    return replace(stored, path=(*stored.path, JsonStep(as_text=True)))


def is_declared(shape: JsonShape) -> bool:
    """Return whether a shape or one of its members is declared by the user and not proved."""
    return shape.declared or any(is_declared(member) for _, member in shape.members)


def object_of(members: Iterable[tuple[str, JsonShape]]) -> JsonShape:
    """Return the JSON shape of an object, or ANY if a key is unknown or repeated."""
    found = tuple(members)
    keys = [key for key, _ in found]
    if not all(keys) or len(set(keys)) < len(keys):
        return ANY
    return JsonShape(JsonKind.OBJECT, members=found)


def stored_in(column: ColumnRef) -> JsonShape:
    """Return the shape of a table column's stored JSON, before declarations are applied."""
    return JsonShape(JsonKind.STORED, stored=column)


def _left_out(shape: JsonShape) -> JsonShape:
    """Return the shape of an object's member if the object omits members whose value is NULL."""
    if shape.kind is JsonKind.ANY:
        return replace(shape, absent=True)
    return replace(shape, nullable=False, absent=True) if shape.nullable else shape


def stripped(shape: JsonShape) -> JsonShape:
    """Return a value's shape after json_strip_nulls(), which removes null members at any depth."""
    if shape.kind is JsonKind.STORED:
        return ANY
    members = tuple((key, stripped(member)) for key, member in shape.members)
    if shape.kind is JsonKind.OBJECT:
        members = tuple((key, _left_out(member)) for key, member in members)
    return replace(shape, members=members)


def part(
    document: JsonShape,
    key: str | None,
    index: int | None,
    *,
    any_key: bool = False,
    any_index: bool = False,
) -> JsonShape:
    """Return the JSON shape of the value at an object key or a list index of a document.

    `any_key` means that the value has a key that is not known, and `any_index` that it has an index
    that is not known. A negative index counts from the end. Return ANY if the part's shape is
    unknown.
    """
    members = dict(document.members)
    if document.kind is JsonKind.STORED:
        step = JsonStep(key, index, any_key, any_index)
        return replace(document, path=(*document.path, step))
    if document.kind is JsonKind.OBJECT:
        return replace(members.get(key or "", ANY), absent=False)
    if document.kind is JsonKind.MAP and (any_key or key is not None):
        return members.get("", ANY)
    if document.kind is JsonKind.ARRAY and (any_index or index is not None):
        return members.get("", ANY)
    if document.kind is JsonKind.TUPLE and index is not None:
        items = [item for _, item in document.members]
        return items[index] if -len(items) <= index < len(items) else ANY
    return ANY


def joined(one: JsonShape, other: JsonShape) -> JsonShape:
    """Return the shape of the JSON value `one || other`, or ANY if nothing is known about it."""
    if one.nullable or other.nullable or one.kind is not other.kind:
        return ANY
    if one.kind is JsonKind.ARRAY:
        return either(iter([one, other]))
    if one.kind is not JsonKind.OBJECT or any(member.absent for _, member in other.members):
        return ANY
    return JsonShape(
        JsonKind.OBJECT, members=tuple((dict(one.members) | dict(other.members)).items())
    )


def array_of(item: JsonShape) -> JsonShape:
    """Return the JSON shape of a list whose elements have the given shape."""
    return JsonShape(JsonKind.ARRAY, members=(("", item),))


def optional(shape: JsonShape) -> JsonShape:
    """Return the JSON shape of values that are null or have the given shape."""
    return replace(shape, nullable=True)


def either(shapes: Iterator[JsonShape]) -> JsonShape:
    """Return the JSON shape that covers all alternatives, such as the branches of CASE."""
    found = [shape for shape in shapes if shape != NULL]
    empty = (EMPTY, EMPTY_OBJECT)
    first = next((shape for shape in found if shape not in empty), found[0] if found else NULL)
    for shape in found:
        if shape in empty and shape.kind is first.kind:
            continue
        merged = weakest_shape(first, shape)
        if merged is None:
            return ANY
        first = merged
    return first


def weakest_shape(one: JsonShape | None, other: JsonShape | None) -> JsonShape | None:
    """Return the JSON shape that covers two shapes that differ only in NULLs; otherwise None."""
    if one is None or other is None:
        return None
    if (one.kind, one.type) != (other.kind, other.type):
        return None
    if (one.stored, one.path, one.name) != (other.stored, other.path, other.name):
        return None
    if [key for key, _ in one.members] != [key for key, _ in other.members]:
        return None
    members = []
    for (key, mine), (_, its) in zip(one.members, other.members, strict=True):
        merged = weakest_shape(mine, its)
        if merged is None:
            return None
        members.append((key, merged))
    nullable, absent = one.nullable or other.nullable, one.absent or other.absent
    return replace(one, nullable=nullable, absent=absent, members=tuple(members))
