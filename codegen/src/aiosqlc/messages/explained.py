"""Describe a query and the reasons for its inferred types, for `explain` and for editors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aiosqlc.ir import Column, Nesting, SqlType, TypedParam, TypedQuery
from aiosqlc.messages.json_shapes import json_lines

_ROWS = {
    "one": "exactly one row",
    "zero_or_one": "at most one row",
    "some": "at least one row",
    "many": "any number of rows",
}


def query_lines(query: TypedQuery) -> Iterator[str]:
    """Describe a query: its SQL, row count, parameters, columns and effects."""
    parsed = query.parsed
    line, _ = parsed.file.line_col(parsed.name_span.start)
    if parsed.channel:
        yield f"channel {parsed.channel}  ({parsed.file.path}:{line})"
        yield from _channel(query)
        return
    yield f"{parsed.name} :{parsed.command}  ({parsed.file.path}:{line})"
    yield ""
    yield from (f"    {text}" for text in query.sql.split("\n"))
    yield ""
    yield from result_lines(query)


def result_lines(query: TypedQuery) -> Iterator[str]:
    """Describe the parameters and columns of a query, without the query's text."""
    yield f"rows: {_ROWS[query.cardinality.value]}"
    yield from (f"    {reason}" for reason in query.cardinality_reasons)
    yield from _lists(query)
    if query.params:
        yield "parameters:"
    for param in query.params:
        yield f"    {param_line(param)}"
        yield from (f"        {reason}" for reason in param.reasons)
    if query.columns:
        yield "columns:"
    for column in query.columns:
        first, *rest = column_lines(column)
        yield f"    {first}"
        yield from (f"        {line}" for line in rest)
        yield from (f"        {reason}" for reason in column.reasons)
    yield from _touches(query)


def _channel(query: TypedQuery) -> Iterator[str]:
    """Describe a declared channel: its payload, and notifications that the schema sends on it."""
    for column in query.columns:
        inside = json_lines(column.shape) if column.shape else ["text"]
        yield from (f"    {line}" for line in inside)
    for source, why in dict.fromkeys((sent.source, sent.why) for sent in query.sends):
        yield f"sent by {source}" + (f"; not proved: {why}" if why else "")


def column_lines(column: Column) -> list[str]:
    """Describe a result column: its type, its nullability, and the structure of its JSON."""
    inside = json_lines(column.shape) if column.shape else ()
    return [f"{column.name}: {type_name(column.type)}{_null(column)}", *inside]


def param_line(param: TypedParam) -> str:
    """Describe the type and nullability of a parameter."""
    return f"${param.number} {param.name}: {type_name(param.type)}{_null(param)}"


def _lists(query: TypedQuery) -> Iterator[str]:
    """Describe the keys that group joined rows into rows with lists."""
    if not isinstance(query.nesting, Nesting):
        return
    for level in query.nesting.levels:
        key = ", ".join(f"`{query.columns[at].name}`" for at in level.key)
        if level.embed is None:
            yield f"    joined rows with equal {key} are returned as one row"
            yield "lists:"
            continue
        name = query.embeds[level.embed].name
        again = "; the joined rows may contain a row twice" if level.repeats else ""
        yield f"    {name}: rows differ in {key}{again}"


def _touches(query: TypedQuery) -> Iterator[str]:
    if query.writes:
        yield f"writes: {', '.join(query.writes)}"
    if query.violable:
        yield f"can violate: {', '.join(item.name for item in query.violable)}"
    if query.variants:
        yield f"variants: {len(query.variants)}"
    if query.batch:
        yield f"many keys ({query.batch.params[0].name}):"
        yield from (f"    {text}" for text in query.batch.sql.split("\n"))
    yield f"reads only: {'yes' if query.read_only else 'not proved'}"
    if query.unproved_reading:
        yield f"    {query.unproved_reading}"


def _null(value: Column | TypedParam) -> str:
    if isinstance(value, Column) and value.declared_not_null:
        return " NOT NULL, as declared for the stored JSON"
    return " NOT NULL" if value.not_null else " NULL"


def type_name(kind: SqlType) -> str:
    """Return a type in SQL syntax."""
    name = kind.name
    if kind.precision is not None:
        scale = "" if kind.scale is None else f",{kind.scale}"
        name += f"({kind.precision}{scale})"
    elif kind.length is not None:
        name += f"({kind.length})"
    return name + "[]" * kind.array_dims


def query_plan_lines(node: dict[str, Any], depth: int) -> Iterator[str]:
    """Format a query plan like EXPLAIN; costs are omitted because the tables are empty."""
    where = " using " + node["Index Name"] if "Index Name" in node else ""
    where += " on " + node["Relation Name"] if "Relation Name" in node else ""
    yield "    " * depth + node["Node Type"] + where
    for name in ("Index Cond", "Hash Cond", "Filter"):
        if name in node:
            yield "    " * depth + f"  {name}: {node[name]}"
    for inner in node.get("Plans", ()):
        yield from query_plan_lines(inner, depth + 1)
