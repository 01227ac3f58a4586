"""Plan an `:arrow` query: its Arrow schema, and SQL texts that return each column as one value."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from aiosqlc.analysis.arrow import base_of, not_sent, sending
from aiosqlc.ir import Command, SqlType, TypedQuery, TypeKind
from aiosqlc.plan.model import Import, PyArrow
from aiosqlc.plan.naming import constant
from aiosqlc.plan.package import Package

MODULE = "arrow_batch"
"""The name of the generated module with the functions that build Arrow record batches."""
_CALLED = ("arrow_batch", "arrow_schema")
_TYPES: Final[Mapping[str, str]] = {
    "bool": "bool_()",
    "int2": "int16()",
    "int4": "int32()",
    "int8": "int64()",
    "float4": "float32()",
    "float8": "float64()",
    "bytea": "binary()",
    "date": "date32()",
    "time": 'time64("us")',
    "timestamp": 'timestamp("us")',
    "timestamptz": 'timestamp("us", "UTC")',
    "uuid": "uuid()",
}
"""The Arrow type of each database type; values of other types become text."""


def plan_arrow(query: TypedQuery, package: Package) -> tuple[TypedQuery, PyArrow | None]:
    """Return the query with SQL texts that return each column as one value, and its Arrow schema.

    A query with another command, or with errors, is returned unchanged, with None as its schema.
    """
    if query.parsed.command is not Command.ARROW or any(not_sent(query, package.engine)):
        return query, None
    fields = tuple(
        (
            column.name,
            _arrow_type(base_of(column.type), element_not_null=column.element_not_null),
            not column.not_null,
        )
        for column in query.columns
    )
    return sending(query), PyArrow(f"{constant(query.parsed.name)}_SCHEMA", fields)


def arrow_imports(arrow: PyArrow | None, package: Package) -> set[Import]:
    """Return the imports that a module needs for a query with an Arrow schema."""
    if arrow is None:
        return set()
    return {("pyarrow", ""), *((package.in_package(MODULE), name) for name in _CALLED)}


def _arrow_type(kind: SqlType, *, element_not_null: bool) -> str:
    """Return the Arrow type of a column as a Python expression."""
    if kind.array_dims:
        inner = _arrow_type(replace(kind, array_dims=0), element_not_null=element_not_null)
        nullable = ", nullable=False" if element_not_null else ""
        return f'pyarrow.list_(pyarrow.field("item", {inner}{nullable}))'
    if kind.kind is TypeKind.BASE and kind.name == "numeric":
        return f"pyarrow.decimal128({kind.precision}, {kind.scale or 0})"
    found = _TYPES.get(kind.name) if kind.kind is TypeKind.BASE else None
    return f"pyarrow.{found or 'string()'}"
