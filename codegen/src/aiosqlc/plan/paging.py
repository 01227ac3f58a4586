"""Plan the result of a `:page` query's function, and its arguments for LIMIT and OFFSET."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from aiosqlc.ir import Column, Paging, TypedQuery
from aiosqlc.parse.keyset import CURSOR, KEY, NULL, SIZE
from aiosqlc.plan.choice import sort_params
from aiosqlc.plan.model import Import, PyFunction, PyKeyset, PyParam, PyType
from aiosqlc.plan.rows import QueryPlanner
from aiosqlc.plan.types import TypeResolver, behind
from aiosqlc.source import Dialect
from aiosqlc.store.digest import digest_of


def without_hidden(query: TypedQuery) -> TypedQuery:
    """Return a query with only the columns of its rows, without the total and the sort keys."""
    if query.parsed.paging is None:
        return query
    return replace(query, columns=query.columns[: -query.parsed.paging.hidden])


def paged(
    function: PyFunction, query: TypedQuery, params: Mapping[int, PyParam], planner: QueryPlanner
) -> tuple[PyFunction, set[Import]]:
    """Return the function of a `:page` query, and the imports that a page needs."""
    paging = query.parsed.paging
    assert paging is not None  # noqa: S101 # the caller has asked
    package = planner.package
    if paging.keys:
        names = ("KeysetCursor", "KeysetList", "KeysetPage", "keyset_rows", "keyset_start")
        needed = {(package.in_package("keyset"), name) for name in names}
        return _with_cursors(function, query, paging, planner.types), needed
    needed = {(package.in_package("executor"), "split_total")}
    return replace(function, first_row=_first_row(paging, params)), needed


def _first_row(paging: Paging, params: Mapping[int, PyParam]) -> tuple[tuple[str, str], ...]:
    """Return the arguments for LIMIT and OFFSET with which a call fetches only the first row."""
    found = []
    if paging.skip is not None:
        found.append((params[paging.skip].expression, "0"))
    if paging.limit is not None:
        found.append((params[paging.limit].expression, "1"))
    return tuple(found)


def with_keys(query: TypedQuery, params: dict[int, PyParam]) -> dict[int, PyParam]:
    """Return the parameters of a query; those for sort keys get their values from the cursor.

    The values in a cursor came from the driver, so they are passed unconverted. The value for LIMIT
    is the page size plus one, because an extra row shows that there is another page.
    """
    paging = query.parsed.paging
    if paging is None or paging.limit is None or not paging.keys:
        return params
    own = {
        key.number: PyParam(f"{KEY}{place}", PyType("object"), f"{KEY}{place}")
        for place, key in enumerate(paging.keys, 1)
    }
    own[paging.limit] = PyParam(SIZE, PyType("int"), f"{SIZE} + 1")
    return {number: own.get(number, param) for number, param in params.items()}


def _with_cursors(
    function: PyFunction, query: TypedQuery, paging: Paging, resolver: TypeResolver
) -> PyFunction:
    """Return the function with parameters `page_size` and `cursor` in place of the sort keys."""
    own = {f"{KEY}{place}" for place, _ in enumerate(paging.keys, 1)}
    own |= {part.name for part in query.parsed.dynamic[-_flags(paging) :]} | {SIZE}
    rest = [param for param in function.params if param.name not in own]
    required = [param for param in rest if not param.default]
    optional = [param for param in rest if param.default]
    size = PyParam(SIZE, PyType("int"), SIZE)
    cursor = PyParam(CURSOR, PyType("KeysetCursor | None"), CURSOR, "None")
    sorts = " ".join(f"{{{param.name}}}" for param in sort_params(query))
    label = f'f"{query.parsed.name} {sorts}"' if sorts else f'"{query.parsed.name}"'
    nulls = tuple(
        (f"{NULL}{place}", f"{KEY}{place} is None")
        for place, key in enumerate(paging.keys, 1)
        if key.nulls
    )
    types = _types(query, paging, resolver)
    classes = ", ".join(f'"{kind}"' for kind in types) + "," * (len(types) == 1)
    digest = _digest(query, paging, types, resolver)
    page_of = f'KeysetList({label}, "{digest}", ({classes}))'
    keyset = PyKeyset(page_of, tuple(f"{KEY}{at}" for at, _ in enumerate(paging.keys, 1)), nulls)
    return replace(function, params=(*required, size, *optional, cursor), keyset=keyset)


def _types(query: TypedQuery, paging: Paging, resolver: TypeResolver) -> tuple[str, ...]:
    """Return the class that the driver uses for each sort key's values, or '' if unknown."""
    columns = query.columns[-paging.hidden :]
    found = (_passed(query, column, resolver) for column in columns)
    pairs = zip(found, paging.keys, strict=True)
    return tuple(f"{kind} | NoneType" if kind and key.nulls else kind for kind, key in pairs)


def _passed(query: TypedQuery, column: Column, resolver: TypeResolver) -> str:
    sql = behind(column.type)
    plain = resolver.driver.plain(sql)
    name = f"{query.parsed.name}.{column.name}"
    used = resolver.column(column.type, not_null=True, origin=column.origin, query=name)
    # An override without a decoder relies on a codec of the user, who may return any class.
    is_plain = not plain.decode and (used.decode or used.annotation == plain.annotation)
    return plain.annotation if is_plain and plain.annotation in _HELD else ""


_HELD = frozenset(
    {
        *("bool", "int", "str", "float", "bytes", "Decimal", "UUID"),
        *("date", "datetime", "time", "timedelta"),
    }
)


# The engines on which the type of an expression is the same in every version.
_EXACT = frozenset({Dialect.POSTGRESQL})


def _digest(
    query: TypedQuery, paging: Paging, types: tuple[str, ...], resolver: TypeResolver
) -> str:
    """Return a short hash of the query's sort orders and of the types of the sort keys.

    The types of expressions are left out if they may differ between versions of the server.
    """
    exact = resolver.engine in _EXACT
    columns = query.columns[-paging.hidden :]
    names = [behind(column.type).name if exact or column.origin else "" for column in columns]
    return digest_of(paging.orders, types, names)[:8]


def _flags(paging: Paging) -> int:
    return 2 + sum(key.nulls for key in paging.keys)
