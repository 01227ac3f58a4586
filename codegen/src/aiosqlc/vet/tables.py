"""The rules about tables."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from aiosqlc.ir import Table

_MONEY = re.compile(r"price|amount|salary|balance|cost|fee|total|revenue|wage", re.IGNORECASE)
_DIMENSIONED = re.compile(r'\barray_ndims\s*\(\s*"?(\w+)', re.IGNORECASE)
_FLOATS = frozenset({"float4", "float8", "float", "double"})


def table_findings(table: Table, dimensioned: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """Yield the rules that a table violates, each with a column or '' for the whole table.

    `dimensioned` are the names of columns whose dimensions a constraint checks.
    """
    if table.kind not in {"table", "partitioned"}:
        return
    for column in table.columns:
        name = column.type.name
        if name == "timestamp" and column.type.schema == "pg_catalog":
            yield "V020", column.name
        if name in _FLOATS and _MONEY.search(column.name):
            yield "V021", column.name
        if name == "money":
            yield "V022", column.name
        if column.type.array_dims > 1 and column.name not in dimensioned:
            yield "V025", column.name
    if not any(constraint.kind == "primary" for constraint in table.constraints):
        yield "V023", ""


def dimensioned(schema: Iterable[str]) -> frozenset[str]:
    """Return the names of the columns that a schema passes to array_ndims()."""
    return frozenset(name for sql in schema for name in _DIMENSIONED.findall(sql))
