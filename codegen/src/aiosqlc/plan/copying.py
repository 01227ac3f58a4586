"""Plan a `:copyfrom`: find the target column of each parameter."""

from __future__ import annotations

import re

from aiosqlc.ir import SqlType, TypedParam, TypedQuery
from aiosqlc.plan.model import PyCopy
from aiosqlc.plan.package import Package

_INSERT = re.compile(
    r"insert\s+into\s+(?P<table>[^(]+?)\s*(?:\((?P<columns>[^()]*)\)\s*)?values\s*\((?P<values>.*)\)\s*$",
    re.IGNORECASE | re.DOTALL,
)
_CAST = re.compile(
    r"^(?:\$(?P<number>\d+)(?:\s*::[\w\s.\"\[\]]+)?|cast\s*\(\s*\$(?P<inner>\d+)\s+as\s+[\w\s.\"\[\]]+\))$",
    re.IGNORECASE,
)
# Pairs of types: each value of the first is also valid for the second, or the server refuses it.
_ALIKE = (
    frozenset({"int2", "int4", "int8"}),
    frozenset({"text", "varchar", "bpchar", "citext", "name"}),
    frozenset({"float4", "float8"}),
)


def plan_copy(query: TypedQuery, package: Package) -> PyCopy | None:
    """Return the table and columns of a `:copyfrom`, or None if a value is not just a parameter."""
    into = query.insert_into
    params = sorted(query.params, key=lambda param: param.number)
    if into is None:
        return None
    origins = [param.origin for param in params]
    values = query.sql[query.sql.upper().rfind("VALUES") + 6 :]
    bare = "".join(values.split()) == f"({','.join(f'${n + 1}' for n in range(len(origins)))})"
    schema = "" if into.schema == "public" else into.schema
    if bare and all(origins):
        return PyCopy(schema, into.table, tuple(origin.column for origin in origins if origin))
    columns = _cast_columns(query, params, package)
    return PyCopy(schema, into.table, columns) if columns else None


def _cast_columns(query: TypedQuery, params: list[TypedParam], package: Package) -> tuple[str, ...]:
    """Return each parameter's target column, or () if a cast has another type than its column."""
    found, into = _INSERT.search(query.sql), query.insert_into
    table = package.tables.get((into.schema, into.table)) if into else None
    if found is None or found["columns"] is None or table is None:
        return ()
    items = [_CAST.match(item.strip()) for item in _split(found["values"])]
    names = [name.strip().strip('"') for name in found["columns"].split(",")]
    numbers = [int(item["number"] or item["inner"]) for item in items if item]
    if len(numbers) != len(names) or sorted(numbers) != [param.number for param in params]:
        return ()
    by_number = dict(zip(numbers, names, strict=True))
    types = {column.name: column.type for column in table.columns}
    for param in params:
        name = by_number[param.number]
        if name not in types or not _alike(param.type, types[name]):
            return ()
    return tuple(by_number[param.number] for param in params)


def _split(values: str) -> list[str]:
    return re.split(r",(?![^()]*\))", values)


def _alike(one: SqlType, other: SqlType) -> bool:
    """Return whether a value that was encoded as one type is valid as another type."""
    if one.array_dims != other.array_dims:
        return False
    if (one.schema, one.name) == (other.schema, other.name):
        return True
    return any({one.name, other.name} <= family for family in _ALIKE)
