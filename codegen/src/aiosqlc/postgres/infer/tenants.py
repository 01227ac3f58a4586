"""Check with PostgreSQL's catalog whether queries access only one tenant's rows."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Final

from msgspec import Struct

from aiosqlc.ir import Tenant
from aiosqlc.postgres.catalog.facts import FIRST_USER_OID, Facts
from aiosqlc.postgres.catalog.lookup import calls_of
from aiosqlc.postgres.catalog.rows import ConstraintRow, Function
from aiosqlc.postgres.infer.images import keys_compare_images
from aiosqlc.postgres.infer.levels import level_of
from aiosqlc.postgres.infer.scope import Scope
from aiosqlc.postgres.routine_bodies import touched
from aiosqlc.relational.tenant import leaks_of
from aiosqlc.relational.tenant_columns import TenantColumns, TenantTable
from aiosqlc.relational.tree import Equality

# Functions of the server that read the rows or files that their arguments name.
_READERS: Final = (
    "query_to_xml", "table_to_xml", "schema_to_xml", "database_to_xml", "cursor_to_xml", "ts_stat",
    "ts_rewrite", "lo_", "loread", "lowrite", "pg_read_", "pg_ls_", "pg_stat_", "pg_logical_",
    "currtid", "pg_relation_size", "pg_table_size", "pg_indexes_size", "pg_total_relation_size",
    "pg_database_size",
)  # fmt: skip
_IMMUTABLE: Final = "i"
_TABLES: Final = "rpf"
_TYPMOD_HEADER: Final = 4  # a length is stored with the size of the value's header
_IN_TEXT: Final = frozenset({"sql", "plpgsql"})
_READ: Final = re.compile(r"\{RANGETBLENTRY .*? :relid (\d+)")


class _Body(Struct, frozen=True):
    """The effects of a function's body: `reads` means that it may read or write tenants' rows.

    `calls` are the functions that it calls.
    """

    reads: bool = False
    calls: frozenset[int] = frozenset()


class Tenants:
    """The tenant settings of the configuration, applied to a schema."""

    def __init__(self, facts: Facts, tenant: Tenant) -> None:
        self.facts = facts
        self.tenant = tenant
        self._bodies: dict[int, _Body] = {}

    def leaks(self, scope: Scope | None, number: int) -> tuple[str, ...]:
        """Describe each use of a table that may read or write other tenants' rows.

        `number` is the number of the tenant parameter in the query text.
        """
        if scope is None:
            return ("the compiler cannot analyse the statement",)
        found = leaks_of(level_of(scope), self, number)
        return tuple(f"`{leak.source}`: {leak.why}" if leak.source else leak.why for leak in found)

    def column(self, relation: Hashable) -> int:
        """Return the number of a table's tenant column, or 0 if the table has none."""
        return self._columns.column(relation)

    @cached_property
    def _columns(self) -> TenantColumns:
        return TenantColumns(
            self.tenant,
            {
                relation: TenantTable(
                    names=self._names(entry.schema, entry.name, self._found_tables),
                    columns={c.name: c.number for c in self.facts.columns.get(relation, ())},
                    key=next((c.columns[0] for c in self._single(relation) if c.kind == "p"), 0),
                    foreign=tuple(
                        (c.columns[0], c.foreign_relation, c.foreign_columns[0])
                        for c in self._single(relation)
                        if c.kind == "f" and c.validated
                    ),
                )
                for relation, entry in self.facts.relations.items()
            },
        )

    def names(self) -> tuple[set[str], set[str]]:
        """Return the names that the configuration may use: those of tables, and of functions."""
        functions: set[str] = set()
        for f in self._functions:
            functions |= self._names(f.schema, f.name, self._found_functions)
        return {n for table in self._columns.tables.values() for n in table.names}, functions

    @cached_property
    def _functions(self) -> list[Function]:
        return [f for f in self.facts.functions.values() if f.oid >= FIRST_USER_OID]

    @cached_property
    def _found_tables(self) -> Mapping[str, str]:
        return self._found((e.schema, e.name) for e in self.facts.relations.values())

    @cached_property
    def _found_functions(self) -> Mapping[str, str]:
        return self._found((f.schema, f.name) for f in self._functions)

    def _found(self, names: Iterable[tuple[str, str]]) -> Mapping[str, str]:
        """Return, for each name, the first schema of the search path that has it."""
        places = {schema: place for place, schema in enumerate(self.facts.search_path)}
        found: dict[str, str] = {}
        for schema, name in names:
            if schema in places and places[schema] <= places[found.get(name, schema)]:
                found[name] = schema
        return found

    def _names(self, schema: str, name: str, found: Mapping[str, str]) -> frozenset[str]:
        own = {name} if found.get(name) == schema else set[str]()
        return frozenset(own | {f"{schema}.{name}"})

    def _single(self, relation: int) -> Iterator[ConstraintRow]:
        found = self.facts.constraints.get(relation, ())
        return (c for c in found if len(c.columns) == 1)

    def unique(self, relation: Hashable, columns: AbstractSet[int]) -> bool:
        """Return whether `columns` contain all columns of one of the table's unique keys."""
        return isinstance(relation, int) and any(
            not key.predicate and all(part.column in columns for part in key.parts)
            for key in self.facts.unique_keys(relation, with_children=True)
        )

    def not_null(self, relation: Hashable, column: int) -> bool:
        """Return whether a column of a table is never NULL."""
        return isinstance(relation, int) and self.facts.not_null(relation, column)

    def trusted(self) -> bool:
        """Return whether the configuration declares that foreign keys stay within a tenant."""
        return self.tenant.trust_foreign_keys

    def shared(self, relation: Hashable) -> bool:
        """Return whether the configuration lists a table as shared.

        A child table that adds a tenant column has rows of tenants, unless the configuration lists
        it too.
        """
        return (
            isinstance(relation, int)
            and self._columns.shared(relation)
            and (
                bool(self._columns.named(relation))
                or all(
                    self.shared(child) or not self._columns.named(child)
                    for child in self.facts.children.get(relation, ())
                )
            )
        )

    def references(self, relation: Hashable) -> tuple[tuple[Hashable, Mapping[int, int]], ...]:
        """Return a table's foreign keys that no row visible to a query violates.

        Until a transaction ends, it may read rows that violate a deferrable foreign key. A foreign
        key is also left out if the referenced key treats different values as equal, as a `citext`
        column does. Then the value in a row may differ from the value in the row that it refers to.
        """
        return _targets(
            c
            for c in (self.keys(relation) if isinstance(relation, int) else ())
            if not c.deferrable
            and all(
                keys_compare_images(self.facts, c.foreign_relation, number)
                for number in c.foreign_columns
            )
        )

    def ties(self, relation: Hashable) -> tuple[tuple[Hashable, Mapping[int, int]], ...]:
        """Return a table's foreign keys that may decide to which tenant a row belongs."""
        return _targets(self.keys(relation) if isinstance(relation, int) else ())

    def keys(self, relation: int) -> tuple[ConstraintRow, ...]:
        """Return a table's foreign keys that every row satisfies when a transaction ends.

        A child table inherits neither foreign keys nor the uniqueness of the referenced key. A
        partition inherits both.
        """
        return tuple(
            c
            for c in self.facts.constraints.get(relation, ())
            if c.kind == "f"
            and not c.of_partition
            and c.validated
            and len(set(c.columns)) == len(c.columns)
            and not self._inherited(c.relation)
            and not self._inherited(c.foreign_relation)
        )

    def image(self, equality: Equality) -> bool:
        """Return whether an equality is true only for values whose stored bytes are equal."""
        collation = equality.collation
        return equality.image and isinstance(collation, int) and self.facts.deterministic(collation)

    def unfit(self, relation: Hashable) -> str:
        """Return why the conversion of a tenant to a table's column length may change the tenant.

        The server cuts blanks from the end of a `varchar` that is too long. If all tenant columns
        have the same length, no tenant has such a value.
        """
        column = self.column(relation)
        found = self.facts.attributes.get((relation, column)) if isinstance(relation, int) else None
        if found is None:
            return "the type of the tenant column is unknown"
        if len(self._lengths) == 1 and self.facts.type_name(found.type) == "varchar":
            return ""
        kind = f"{self.facts.type_name(found.type)}({found.typmod - _TYPMOD_HEADER})"
        return (
            f"the tenant column has the type `{kind}`, so the server may cut or add blanks at the "
            "end; use `text`, or `varchar` with the same length for all tenant columns"
        )

    @cached_property
    def _lengths(self) -> set[tuple[int, int]]:
        """Return the types and lengths of the tenant columns of all tables."""
        return {
            (found.type, found.typmod)
            for oid, entry in self.facts.relations.items()
            if entry.kind in _TABLES
            and (found := self.facts.attributes.get((oid, self.column(oid)))) is not None
        }

    def unsupported(self, relation: Hashable) -> str:
        """Return '', because `image` decides which equalities prove something."""
        del relation
        return ""

    def stored(self, relation: Hashable) -> bool:
        """Return whether a relation is a materialized view."""
        entry = self.facts.relations.get(relation) if isinstance(relation, int) else None
        return entry is not None and entry.kind == "m"

    def generated(self, relation: Hashable) -> bool:
        """Return whether a generated column decides to which tenant a row of a table belongs."""
        if not isinstance(relation, int):
            return False
        own = self.column(relation)
        deciding = {own} if own else {n for key in self.keys(relation) for n in key.columns}
        columns = self.facts.columns.get(relation, ())
        return any(c.generated for c in columns if c.number in deciding)

    def replaced(self, relation: Hashable) -> bool:
        """Return whether a relation is a view to which the server writes only by triggers.

        For any other view, the parse tree already contains the table below it.
        """
        entry = self.facts.relations.get(relation) if isinstance(relation, int) else None
        return entry is not None and entry.kind == "v"

    def changed(self, relation: Hashable) -> bool:
        """Return whether a trigger may change a row that an INSERT or an UPDATE writes."""
        return isinstance(relation, int) and (
            self.facts.may_skip_insert(relation) or self.facts.may_skip_update(relation)
        )

    def reads_rows(self, call: Hashable) -> bool:
        """Return whether a function may read or write rows.

        An immutable function may not, but the server does not check this. So the compiler looks for
        tables in the body of a function in SQL or PL/pgSQL, and of the functions that it calls.
        """
        rest, seen = [call], set[Hashable]()
        while rest:
            oid = rest.pop()
            if oid in seen or not isinstance(oid, int):
                continue
            seen.add(oid)
            found = self.facts.functions.get(oid)
            if found is None:
                if oid >= FIRST_USER_OID:
                    return True
            elif found.oid < FIRST_USER_OID:
                if found.name.startswith(_READERS):
                    return True
            elif found.kind == "a":  # the server marks each aggregate as immutable
                rest += self.facts.set_off.get(found.oid, ())
            elif not self._listed(found.schema, found.name):
                body = self._body(found)
                if found.volatility != _IMMUTABLE or body.reads:
                    return True
                rest += body.calls
        return False

    def _body(self, function: Function) -> _Body:
        """Return whether a function's body names a table that is not shared, and its calls."""
        if function.oid not in self._bodies:
            body = _Body()
            if function.body:
                tables = {int(oid) for oid in _READ.findall(function.body)}
                read = tables & self.facts.relations.keys()
                body = _Body(not all(map(self.shared, read)), calls_of(function.body))
            elif function.language in _IN_TEXT:
                body = self._in_words(function.source)
            self._bodies[function.oid] = body
        return self._bodies[function.oid]

    def _in_words(self, source: str) -> _Body:
        """Analyse a body without a parse tree: each of its words may be the name of a table."""
        tables = self.facts.relations
        found = touched(source, {entry.name for entry in tables.values()})
        names = {name for _, name in found.tables}
        reads = (
            found.at_run_time
            or any(name.startswith(_READERS) for name in found.called)
            or any(e.name in names and not self.shared(oid) for oid, e in tables.items())
        )
        return _Body(reads, frozenset(f.oid for f in self._functions if f.name in found.called))

    def called(self, call: Hashable) -> str:
        """Return the name of a function."""
        found = self.facts.functions.get(call) if isinstance(call, int) else None
        return f"{found.name}()" if found else "a function"

    def _inherited(self, relation: int) -> bool:
        entry = self.facts.relations.get(relation)
        return bool(self.facts.children.get(relation)) and (entry is None or entry.kind != "p")

    def _listed(self, schema: str, name: str) -> bool:
        names = self._names(schema, name, self._found_functions)
        return not names.isdisjoint(self.tenant.shared)


def _targets(keys: Iterable[ConstraintRow]) -> tuple[tuple[int, dict[int, int]], ...]:
    return tuple(
        (c.foreign_relation, dict(zip(c.columns, c.foreign_columns, strict=True))) for c in keys
    )
