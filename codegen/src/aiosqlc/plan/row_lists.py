"""Lists of rows: `(a, b) IN (sqlc.slice(pairs))` takes one argument and sends a list per column."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from aiosqlc.drivers.port import Places
from aiosqlc.ir import TypedParam, TypedQuery
from aiosqlc.plan.model import PyParam, PyType
from aiosqlc.plan.rows import QueryPlanner


def with_row_lists(
    query: TypedQuery, params: Mapping[int, PyParam], planner: QueryPlanner
) -> dict[int, PyParam]:
    """Merge the parameters of each list of rows into one: `pairs: Sequence[tuple[int, str]]`.

    PostgreSQL receives an array for each column. If the driver formats values into the text, the
    list of rows is passed as one argument.
    """
    found = dict(params)
    for columns in row_lists(query).values():
        name = params[columns[0].number].name
        kinds = [_value(query, column, planner) for column in columns]
        inside = ", ".join(kind.annotation for kind in kinds)
        imports = frozenset({("collections.abc", "Sequence")}).union(*(k.imports for k in kinds))
        kind = PyType(f"Sequence[tuple[{inside}]]", imports, atomic=False)
        lists = [_column(name, at, item) for at, item in enumerate(kinds)]
        if planner.package.driver.places is Places.FORMATTED:
            lists = [f"({', '.join(lists)})"] * len(lists)
        for column, expression in zip(columns, lists, strict=True):
            found[column.number] = PyParam(name, kind, expression)
    return found


def row_lists(query: TypedQuery) -> dict[str, list[TypedParam]]:
    """Return the column parameters of each list of rows, by the list's name."""
    found: dict[str, list[TypedParam]] = {}
    for param in sorted(query.params, key=lambda param: param.number):
        if param.row:
            found.setdefault(param.row, []).append(param)
    return found


def once(params: Sequence[PyParam]) -> tuple[PyParam, ...]:
    """Return the parameters of the function; the columns of a list of rows become one parameter."""
    return tuple({param.name: param for param in reversed(params)}.values())[::-1]


def with_one_place(sql: str, numbers: Sequence[int], query: TypedQuery) -> str:
    """In an SQL text, replace the column parameters of each list of rows by one parameter.

    `numbers` maps the numbers in the text to the numbers in the query.
    """
    for columns in row_lists(query).values():
        own = {column.number for column in columns}
        mine = [at for at, number in enumerate(numbers, 1) if number in own]
        if mine:
            row = r",\s*".join(rf"\${at}" for at in mine)
            sql = re.sub(rf"\(\s*{row}\s*\)", f"${mine[0]}", sql)
    return sql


def beyond_the_first(query: TypedQuery) -> frozenset[int]:
    """Return the numbers of all parameters of row lists, except the first of each list."""
    return frozenset(
        column.number for columns in row_lists(query).values() for column in columns[1:]
    )


def _value(query: TypedQuery, column: TypedParam, planner: QueryPlanner) -> PyType:
    return planner.types.parameter(
        replace(column.type, array_dims=0),
        not_null=True,
        origin=column.origin,
        query=f"{query.parsed.name}.{column.name}",
    )


def _column(name: str, at: int, kind: PyType) -> str:
    value = (kind.encode or "{}").replace("{}", f"item[{at}]")
    return f"[{value} for item in {name}]"
