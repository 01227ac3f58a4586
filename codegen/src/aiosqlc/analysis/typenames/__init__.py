"""Find the database type that a configuration names, on either engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache

from msgspec import Struct

from aiosqlc.analysis.typenames import mysql, postgres
from aiosqlc.drivers.postgres_types import KNOWN
from aiosqlc.ir import Analysis, SqlType, TypeKind
from aiosqlc.source import Dialect


class Named(Struct, frozen=True):
    """A type name from the configuration; `type` has its schema, length, `unsigned` and `[]`."""

    text: str
    type: SqlType | None

    def fits(self, sql: SqlType) -> int:
        """Return a score for the match of a type with this name: 0 if it does not match.

        A name without `[]` also matches arrays. It then stands for the type of their elements.
        """
        wanted = self.type
        # As the catalog spells the name.
        as_it_is = self.text in {sql.name, f"{sql.schema}.{sql.name}"}
        if as_it_is and (wanted is None or not wanted.schema):
            return 2
        if wanted is None:
            return 0
        any_enum = wanted.kind is TypeKind.ENUM and sql.kind is TypeKind.ENUM
        if wanted.name != sql.name and not any_enum:
            return 0
        closeness = 1 + (wanted.name == sql.name)
        for said, has in (
            (wanted.schema, sql.schema),
            (wanted.length, sql.length),
            (wanted.precision, sql.precision),
            (wanted.scale, sql.scale),
            (wanted.unsigned, sql.unsigned),
            (wanted.labels, sql.labels),
            (bool(wanted.array_dims), bool(sql.array_dims)),
        ):
            if said and said != has:
                return 0
            closeness += bool(said)
        return closeness

    def is_of(self, sql: SqlType) -> bool:
        """Return whether a type has this name, and this schema if the name includes one."""
        wanted = self.type
        if wanted is None or wanted.name != sql.name:
            return False
        return wanted.schema in {"", sql.schema}


@cache
def named(engine: Dialect, text: str) -> Named:
    """Parse the name of a type with the engine's rules."""
    return Named(text, _READERS[engine](text))


_READERS: Mapping[Dialect, Callable[[str], SqlType | None]] = {
    Dialect.POSTGRESQL: postgres.type_named,
    Dialect.MYSQL: mysql.type_named,
}
_BUILT_IN: Mapping[Dialect, Iterable[SqlType]] = {
    Dialect.POSTGRESQL: tuple(SqlType("pg_catalog", name) for name in KNOWN),
    Dialect.MYSQL: tuple(SqlType("", name) for name in mysql.NAMES),
}
_ALIASES: Mapping[Dialect, Iterable[str]] = {
    Dialect.POSTGRESQL: postgres.ALIASES,
    Dialect.MYSQL: mysql.ALIASES,
}


def built_in_types(engine: Dialect) -> Iterable[SqlType]:
    """Return the built-in types of an engine."""
    return _BUILT_IN[engine]


def type_aliases(engine: Dialect) -> Iterable[str]:
    """Return the aliases of an engine's types."""
    return _ALIASES[engine]


def types_in(analysis: Analysis) -> Iterable[SqlType]:
    """Yield every type of a schema and its queries, and the types inside these types."""
    found = [*analysis.catalog.types]
    found += [column.type for table in analysis.catalog.tables for column in table.columns]
    for query in analysis.queries:
        found += [column.type for column in query.columns]
        found += [param.type for param in query.params]
    seen = set[SqlType]()
    while found:
        sql = found.pop()
        if sql in seen:
            continue
        seen.add(sql)
        yield sql
        found += [kind for _, kind, _ in sql.fields]
        found += [sql.base] if sql.base else []
