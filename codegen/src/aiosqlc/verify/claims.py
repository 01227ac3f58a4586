"""Compare the assumptions of generated code with the guarantees of another schema."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from aiosqlc.ir import (
    Cardinality,
    Catalog,
    Column,
    Constraint,
    Nesting,
    ParsedQuery,
    SqlType,
    TableColumn,
    TypedParam,
    TypedQuery,
)
from aiosqlc.verify.types import reads_as, takes

_UNIQUE = frozenset({"primary", "unique"})
_AT_LEAST_ONE = (Cardinality.ONE, Cardinality.SOME)


def sent(query: TypedQuery) -> ParsedQuery:
    """Return a query with the SQL that generated code sends: each `*` is replaced by columns."""
    return replace(query.parsed, sql=query.sql, variants=query.variants, embeds=(), hints=())


def broken(
    promised: TypedQuery, home: TypedQuery, found: TypedQuery, here: Catalog, there: Catalog
) -> Iterator[str]:
    """Yield the assumptions of generated code that are false on another schema.

    `promised` is the query as the code was generated from it, for the schema `here`. `home` and
    `found` are the analyses of the generated SQL on `here` and on the other schema, `there`.
    """
    yield from _columns(promised, home, found)
    yield from _embedded(promised, here, there)
    yield from _grouped(promised, here, there)
    if promised.columns and home.cardinality.at_most_one and not found.cardinality.at_most_one:
        yield "may return more than one row"
    if (
        promised.columns
        and home.cardinality in _AT_LEAST_ONE
        and found.cardinality not in _AT_LEAST_ONE
    ):
        yield "may return no row"
    yield from _params(promised, home, found, here, there)
    yield from _writes(home, found, here, there)


def _columns(promised: TypedQuery, home: TypedQuery, found: TypedQuery) -> Iterator[str]:
    if len(home.columns) != len(found.columns):
        yield f"returns {len(found.columns)} columns, but the code reads {len(home.columns)}"
        return
    for claim, was, now in zip(promised.columns, home.columns, found.columns, strict=True):
        if not reads_as(was.type, now.type):
            yield _changed(f"column {claim.name}", was, now)
        elif claim.not_null and was.not_null and not now.not_null:
            yield f"column {claim.name} may be NULL"
        elif claim.element_not_null and was.element_not_null and not now.element_not_null:
            yield f"column {claim.name} may contain NULL"


def _changed(what: str, was: Column, now: Column) -> str:
    if was.type.name != now.type.name or not now.type.labels:
        return f"{what} changes its type from {was.type.name} to {now.type.name}"
    new = [label for label in now.type.labels if label not in was.type.labels]
    return f"{what} may be {', '.join(map(repr, new))}, which the code does not handle"


def _embedded(promised: TypedQuery, here: Catalog, there: Catalog) -> Iterator[str]:
    """Yield a message for each column of embedded rows that may be NULL only in schema `there`."""
    for embed in promised.embeds:
        for column in promised.columns[embed.first : embed.first + embed.count]:
            origin = column.origin
            if embed.nullable and origin is not None:
                was = _column(here, origin.schema, origin.table, origin.column)
                now = _column(there, origin.schema, origin.table, origin.column)
                if was and was.not_null and not (now and now.not_null):
                    yield f"column {embed.name}.{column.name} may be NULL"


def _grouped(promised: TypedQuery, here: Catalog, there: Catalog) -> Iterator[str]:
    """Yield the unique keys by which the code groups rows, but which the other schema lacks."""
    if not isinstance(promised.nesting, Nesting):
        return
    keys = {promised.columns[at].origin for level in promised.nesting.levels for at in level.key}
    tables = {(table.schema, table.name): table for table in there.tables}
    for table in here.tables:
        own = {
            ref.column
            for ref in keys
            if ref and (ref.schema, ref.table) == (table.schema, table.name)
        }
        other = tables.get((table.schema, table.name))
        kept = [item.columns for item in other.constraints if item.kind in _UNIQUE] if other else []
        for item in table.constraints:
            if item.kind in _UNIQUE and own.intersection(item.columns) and item.columns not in kept:
                yield f"groups rows by the key {item.name}, but {table.name} has no such key"


def _params(
    promised: TypedQuery, home: TypedQuery, found: TypedQuery, here: Catalog, there: Catalog
) -> Iterator[str]:
    now = {param.number: param for param in found.params}
    allowed = {param.number: param for param in promised.params}
    for was in home.params:
        meets = now.get(was.number)
        if meets is None:
            continue
        before, after = _stored(was, here), _stored(meets, there)
        if not (takes(meets.type, was.type) and takes(after, before)):
            changed = f"from {_shown(before)} to {_shown(after)}"
            yield f"parameter {was.name} changes its type {changed}"
        elif not allowed.get(was.number, was).not_null and meets.not_null and not was.not_null:
            yield f"parameter {was.name} may be None, but the schema rejects NULL"


def _stored(param: TypedParam, catalog: Catalog) -> SqlType:
    """Return the type of a parameter's column, or else the type of the parameter.

    Only the column's type has a length.
    """
    origin = param.origin
    column = origin and _column(catalog, origin.schema, origin.table, origin.column)
    if not column or param.type.array_dims != column.type.array_dims:
        return param.type
    return column.type


def _shown(kind: SqlType) -> str:
    return f"{kind.name}({kind.length})" if kind.length is not None else kind.name


def _writes(home: TypedQuery, found: TypedQuery, here: Catalog, there: Catalog) -> Iterator[str]:
    known = {_key(item) for item in home.violable}
    for item in found.violable:
        if _key(item) not in known and _can_be_met(item, here, there):
            yield f"may violate the new {item.kind} constraint {item.name} of {item.table}"
    target = found.insert_into
    if target is None:
        return
    set_by_params = {p.origin.column for p in found.params if p.origin}
    for table in there.tables:
        if (table.schema, table.name) != (target.schema, target.table):
            continue
        for column in table.columns:
            was = _column(here, table.schema, table.name, column.name)
            lost = was is not None and was.has_default and not column.has_default
            if lost and column.not_null and column.name not in set_by_params:
                yield f"column {table.name}.{column.name} no longer has a default"


def _key(item: Constraint) -> tuple[str, str, str, tuple[str, ...]]:
    return (item.schema, item.table, item.kind, item.columns)


def _can_be_met(item: Constraint, here: Catalog, there: Catalog) -> bool:
    """Return whether code generated for schema `here` can violate a constraint of schema `there`.

    Old code leaves new columns at their default. A new column that is NULL can violate NOT NULL,
    but no other constraint.
    """
    before = [_column(here, item.schema, item.table, name) for name in item.columns]
    after = [_column(there, item.schema, item.table, name) for name in item.columns]
    pairs = list(zip(before, after, strict=True))
    if item.kind == "foreign" and any(_stays_null(was, column) for was, column in pairs):
        return False  # a foreign key with a NULL refers to nothing
    if not item.columns or any(before):
        return True
    if item.kind == "not_null":
        return not all(column and column.has_default for column in after)
    return any(column and (column.has_default or column.not_null) for column in after)


def _stays_null(was: TableColumn | None, column: TableColumn | None) -> bool:
    """Return whether a column is new, and NULL in all rows that old code writes."""
    return was is None and column is not None and not (column.has_default or column.not_null)


def _column(catalog: Catalog, schema: str, table: str, name: str) -> TableColumn | None:
    for item in catalog.tables:
        if (item.schema, item.name) == (schema, table):
            return next((column for column in item.columns if column.name == name), None)
    return None
