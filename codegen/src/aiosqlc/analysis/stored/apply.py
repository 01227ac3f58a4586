"""Replace stored JSON values in the shapes of columns by their declared structures."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from aiosqlc.analysis.json_shapes import ANY, part
from aiosqlc.ir import (
    Analysis,
    Column,
    ColumnRef,
    JsonKind,
    JsonShape,
    JsonStep,
    SqlType,
    TypedQuery,
)

Declared = Mapping[ColumnRef, JsonShape]


def with_declared(analysis: Analysis, declared: Declared) -> Analysis:
    """Return the analysis with the declared structure of each stored JSON value.

    A stored value without a declaration becomes JSON of unknown structure. A query whose columns do
    not change stays the same object.
    """
    return replace(
        analysis,
        queries=tuple([_query(query, declared) for query in analysis.queries]),
        channels=tuple([_query(channel, declared) for channel in analysis.channels]),
        stored=tuple(declared.items()),
    )


def _query(query: TypedQuery, declared: Declared) -> TypedQuery:
    if not any(column.shape for column in query.columns):
        return query
    columns = tuple([_column(column, declared) for column in query.columns])
    return query if columns == query.columns else replace(query, columns=columns)


def _column(column: Column, declared: Declared) -> Column:
    shape = column.shape
    if shape is None:
        return column
    found = shape_of(shape, declared)
    if shape.kind is not JsonKind.STORED:
        return column if found == shape else replace(column, shape=found)
    known = found.kind is not JsonKind.ANY or bool(found.name)
    sure = bool(shape.path) and known and not found.nullable
    kept = found if known and not _is_text(shape) else None
    return replace(column, shape=kept, declared_not_null=sure and not column.not_null)


def shape_of(shape: JsonShape, declared: Declared) -> JsonShape:
    """Return a shape with the declared structure of each stored value in it."""
    if shape.kind is JsonKind.STORED:
        return _stored(shape, declared)
    if not shape.members:
        return shape
    members = tuple([(key, shape_of(member, declared)) for key, member in shape.members])
    return shape if members == shape.members else replace(shape, members=members)


def _stored(shape: JsonShape, declared: Declared) -> JsonShape:
    found = declared.get(shape.stored) if shape.stored else None
    if found is None:
        return _text(shape, nullable=True) if _is_text(shape) else replace(ANY, absent=shape.absent)
    there = not shape.nullable and not found.nullable
    for step in shape.path:
        if step.as_text:
            return _text(shape, nullable=not there)
        there = there and _always_has(found, step)
        found = part(found, step.key, step.index, any_key=step.any_key, any_index=step.any_index)
    unknown = found.kind is JsonKind.ANY and not found.name
    # A server that writes JSON as a text inside JSON writes a text in JSON in the same way.
    if unknown or (shape.type and found.kind is JsonKind.SCALAR):
        return replace(ANY, absent=shape.absent)
    nullable = not there if shape.path else shape.nullable or found.nullable
    return replace(found, nullable=nullable, absent=shape.absent, declared=True)


def _is_text(shape: JsonShape) -> bool:
    return bool(shape.path) and shape.path[-1].as_text


def _text(shape: JsonShape, *, nullable: bool) -> JsonShape:
    kind = SqlType("pg_catalog", "text")
    return JsonShape(JsonKind.SCALAR, nullable=nullable, absent=shape.absent, type=kind)


def _always_has(document: JsonShape, step: JsonStep) -> bool:
    """Return whether every document of this structure has the member `step`, which is not null."""
    if document.kind is not JsonKind.OBJECT or step.key is None:
        return False
    member = dict(document.members).get(step.key)
    return member is not None and not member.absent and not member.nullable
