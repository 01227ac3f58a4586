"""Check whether queries for MySQL or MariaDB access only one tenant's rows."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from typing import Final

from msgspec.structs import replace
from sqlglot import exp

from aiosqlc.ir import SqlType, Tenant, TypeKind
from aiosqlc.mysql.functions import routine_name
from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.reading import READING
from aiosqlc.mysql.relations import DEFAULT, Relation, Schema
from aiosqlc.mysql.syntax import parse
from aiosqlc.mysql.tenancy.facts import beside, identity, number_of
from aiosqlc.mysql.tenancy.statement import statement_of
from aiosqlc.mysql.tenancy.storing import WHOLE_NUMBERS
from aiosqlc.mysql.types import family
from aiosqlc.relational.tenant import leaks_of
from aiosqlc.relational.tenant_columns import TenantColumns, TenantTable
from aiosqlc.relational.tree import Equality, Query

_EXACT_BYTES: Final = frozenset({"binary", "varbinary"})
_TEXTS: Final = frozenset({"char", "varchar"})
# Collations that compare the bytes of a text, also its trailing spaces.
_EXACT_COLLATIONS: Final = ("_0900_bin", "_nopad_bin")
# Functions that return a state of the session, and no rows.
_SESSION: Final = frozenset({
    "CONNECTION_ID", "LAST_INSERT_ID", "ROW_COUNT", "UUID_SHORT", "VALUES", "VALUE",
})  # fmt: skip
# The relevance of a row depends on the texts of all rows.
_RANKING: Final = "MATCH_AGAINST"
Keys = tuple[tuple[Hashable, Mapping[int, int]], ...]


class Tenants:
    """The tenant settings of the configuration, applied to a schema."""

    def __init__(self, schema: Schema, tenant: Tenant) -> None:
        self.schema = schema
        self.tenant = replace(
            tenant, column=tenant.column.lower(), columns=tuple(map(str.lower, tenant.columns))
        )
        self._relations = {identity(r): r for r in schema.relations}
        self._columns = TenantColumns(self.tenant, dict(self._tables()))
        self._views: dict[Hashable, Query] = {}

    def leaks(self, reader: Reader | None, number: int) -> tuple[str, ...]:
        """Return the uses of tables in which rows of other tenants may be read or written.

        `number` is the number of the tenant parameter in the query text.
        """
        if reader is None:
            return ("the compiler cannot analyse the statement",)
        kind = reader.type_of(number)
        if number and (kind is None or not self.holds_tenants(kind)):
            return (self._mistyped(kind),)
        query = statement_of(reader, self, required=reader.requires(number))
        found = leaks_of(query, self, number)
        return tuple(f"`{leak.source}`: {leak.why}" if leak.source else leak.why for leak in found)

    def _mistyped(self, kind: SqlType | None) -> str:
        """Return why a parameter of a type is not compared like the values of tenant columns."""
        if kind is None:
            return "the type of the parameter is unknown"
        for name, relation in self._relations.items():
            if (why := self.unsupported(name)) and self._type(name) == kind:
                return f"`{relation.table.name}`: {why}"
        other = next(r for r, _, stored, _ in self._stored if family(stored) != family(kind))
        return (
            f"the parameter has the type `{kind.name}`, but the tenant column of "
            f"`{self._relations[other].table.name}` has the type `{self._type(other).name}`"
        )

    def _type(self, relation: Hashable) -> SqlType:
        """Return the type of the tenant column of a table that has one."""
        return self._relations[relation].table.columns[self.column(relation) - 1].type

    # --- facts for the conversion -------------------------------------------------------------

    def exact(self, kind: SqlType | None, collation: str) -> bool:
        """Return whether two equal values of a type belong to the same tenant.

        A collation may treat different texts as equal. If this is the collation of the tenants'
        key, two tenants cannot have texts that are equal under it. If tenants are numbers, a text
        column does not contain the tenant, but may refer to another table.
        """
        if kind is None or kind.kind is TypeKind.ENUM:
            return False
        if kind.name in WHOLE_NUMBERS:
            return True
        if kind.name not in _TEXTS | _EXACT_BYTES | {"uuid"}:
            return False
        if self._number_alone:
            return kind.name not in _TEXTS or bool(collation)
        if not self.uniform:
            return False
        return (
            kind.name not in _TEXTS
            or collation.endswith(_EXACT_COLLATIONS)
            or (collation == self._key_collation != "")
        )

    def holds_tenants(self, kind: SqlType) -> bool:
        """Return whether values of a type are compared like the values of tenant columns."""
        return all(family(kind) == family(stored) for _, _, stored, _ in self._stored)

    def fits(self, relation: Relation, column: str) -> bool:
        """Return whether a column has room for each tenant, so that no value is truncated."""
        number = number_of(relation, column)
        if number != self.column(identity(relation)):
            return False
        kind = relation.table.columns[number - 1].type
        return self._number_alone and all(_holds(kind, stored) for _, _, stored, _ in self._stored)

    def followed(self, relation: Relation) -> Iterator[str]:
        """Yield the foreign keys by which a DELETE may change other tenants' rows of the table.

        They refer to the table itself, and do not contain its tenant column.
        """
        own = self.column(identity(relation))
        for reference in relation.referring:
            key = reference.key
            itself = (key.schema, key.table) == identity(relation)
            acts = reference.on_delete.upper() not in {"RESTRICT", "NO ACTION"}
            numbers = {number_of(relation, name) for name in key.columns}
            if own and itself and acts and own not in numbers and not self.trusted():
                yield key.name

    def view(self, relation: Relation) -> Query:
        """Return the query of a view, or a query about which nothing can be proved."""
        name = identity(relation)
        if name not in self._views:
            self._views[name] = Query()
            tree = parse(relation.definition)
            if tree is not None and isinstance(tree.root, exp.Query):
                reader = Reader(self.schema, tree)
                reader.read()
                self._views[name] = statement_of(reader, self, required=False)
        return self._views[name]

    @cached_property
    def uniform(self) -> bool:
        """Return whether all tenant columns of the schema have the same type."""
        return len({(kind, collation) for _, _, kind, collation in self._stored}) == 1

    @cached_property
    def _number_alone(self) -> bool:
        return all(kind.name in WHOLE_NUMBERS for _, _, kind, _ in self._stored)

    @cached_property
    def _key_collation(self) -> str:
        """Return the collation of the key to which all tenant columns refer, or '' if unknown."""
        keys = self._columns.keys
        for relation, column, _, _ in self._stored:
            refers = any(
                other in keys and its == {column: keys[other]} for other, its in self.ties(relation)
            )
            if not refers and keys.get(relation) != column:
                return ""
        known = len(keys) == 1 and all(self.unique(r, {c}) for r, c in keys.items())
        return self._stored[0][3] if self.uniform and known else ""

    @cached_property
    def _stored(self) -> list[tuple[Hashable, int, SqlType, str]]:
        """Return the tenant columns of tables, with their types and collations.

        Columns of unsupported types are left out: nothing is proved of their tables.
        """
        found = []
        for name, relation in self._relations.items():
            number = 0 if relation.is_view else self.column(name)
            if number and not self.unsupported(name):
                column = relation.table.columns[number - 1]
                collation = relation.collations.get(column.name.lower(), "")
                found.append((name, number, column.type, collation))
        return found

    def _tables(self) -> Iterator[tuple[Hashable, TenantTable]]:
        for name, relation in self._relations.items():
            primary = [c.columns for c in relation.table.constraints if c.kind == "primary"]
            key = number_of(relation, primary[0][0]) if primary and len(primary[0]) == 1 else 0
            yield (
                name,
                TenantTable(
                    names=_names(relation),
                    columns={c.name.lower(): n for n, c in enumerate(relation.table.columns, 1)},
                    key=key,
                    foreign=tuple(
                        (column, other, its)
                        for other, columns in self._foreign.get(name, ())
                        if len(columns) == 1
                        for column, its in columns.items()
                    ),
                ),
            )

    @cached_property
    def _foreign(self) -> Mapping[Hashable, Keys]:
        """Return the foreign keys of each table that refer to a unique key."""
        found: dict[Hashable, Keys] = {}
        for other, target in self._relations.items():
            for reference in target.referring:
                name = (reference.key.schema, reference.key.table)
                relation = self._relations.get(name)
                if relation is None or relation.generated & {
                    c.lower() for c in reference.key.columns
                }:
                    continue
                pairs = zip(reference.key.columns, reference.columns, strict=True)
                columns = {number_of(relation, a): number_of(target, b) for a, b in pairs}
                if self.unique(other, set(columns.values())):
                    found[name] = (*found.get(name, ()), (other, columns))
        return found

    def names(self) -> tuple[set[str], set[str]]:
        """Return the names that the configuration may use: those of tables, and all others."""
        tables = {name for relation in self.schema.relations for name in _names(relation)}
        relations = self.schema.relations
        fired = {beside(r, name) for r in relations for _, name in r.fired}
        keys = {beside(r, reference.key.name) for r in relations for reference in r.referring}
        functions = {name for name in self.tenant.shared if self.schema.routine(name)}
        return tables, functions | {r.name for r in self.schema.routines} | fired | keys

    # --- the port of `relational.tenant` ------------------------------------------------------

    def column(self, relation: Hashable) -> int:
        """Return the number of a table's tenant column, or 0 if the table has none."""
        return self._columns.column(relation)

    def shared(self, relation: Hashable) -> bool:
        """Return whether the configuration lists a table as shared."""
        return self._columns.shared(relation)

    def references(self, relation: Hashable) -> Keys:
        """Return a table's foreign keys, which the server checks at once for each row."""
        return self._foreign.get(relation, ())

    def ties(self, relation: Hashable) -> Keys:
        """Return a table's foreign keys that may decide to which tenant a row belongs."""
        return self._foreign.get(relation, ())

    def unique(self, relation: Hashable, columns: AbstractSet[int]) -> bool:
        """Return whether `columns` contain all columns of one of the table's unique keys."""
        found = self._relations.get(relation)
        return found is not None and any(
            all(number_of(found, name) in columns for name in key) for key in found.unique
        )

    def not_null(self, relation: Hashable, column: int) -> bool:
        """Return whether a column of a table is never NULL."""
        found = self._relations.get(relation)
        return found is not None and found.table.columns[column - 1].not_null

    def trusted(self) -> bool:
        """Return whether the configuration promises that foreign keys stay within a tenant."""
        return self.tenant.trust_foreign_keys

    def image(self, equality: Equality) -> bool:
        """Return whether an equality is true only if both values belong to the same tenant."""
        return equality.image

    def unfit(self, relation: Hashable) -> str:
        """Return '', because `keeps` decides whether a value is stored unchanged."""
        del relation
        return ""

    def unsupported(self, relation: Hashable) -> str:
        """Return why the type of a table's tenant column allows no proof, or ''."""
        if not self.column(relation):
            return ""
        kind = self._type(relation)
        known = {*WHOLE_NUMBERS, *_TEXTS, *_EXACT_BYTES, "uuid"}
        if kind.kind is not TypeKind.ENUM and kind.name in known:
            return ""
        name = "enum" if kind.kind is TypeKind.ENUM else kind.name
        return (
            f"the tenant column has the type `{name}`, with which no query is proved; use an "
            "integer type, `uuid`, `binary`, `varbinary`, `char` or `varchar`"
        )

    def stored(self, relation: Hashable) -> bool:
        """Return False, because MySQL has no materialized views."""
        del relation
        return False

    def generated(self, relation: Hashable) -> bool:
        """Return whether a table computes its tenant column from other columns.

        A foreign key with a computed column is not used at all.
        """
        found, number = self._relations.get(relation), self.column(relation)
        names = found.generated if found is not None else frozenset[str]()
        return (
            found is not None
            and bool(number)
            and (found.table.columns[number - 1].name.lower() in names)
        )

    def replaced(self, relation: Hashable) -> bool:
        """Return False, because MySQL has no triggers that run instead of a write."""
        del relation
        return False

    def changed(self, relation: Hashable) -> bool:
        """Return whether a trigger may change a row that an INSERT or an UPDATE writes."""
        found = self._relations.get(relation)
        return found is None or bool(found.fired)

    def reads_rows(self, call: Hashable) -> bool:
        """Return whether a function, a trigger or a foreign key may read or write rows.

        If the configuration lists it under `shared`, the user promises that it does not.
        """
        if isinstance(call, tuple):
            return call[1] not in self.tenant.shared
        name = routine_name(str(call))
        if name.lower() in map(str.lower, self.tenant.shared):
            return False
        known = call in READING | _SESSION and self.schema.routine(name) is None
        return call == _RANKING or not known

    def called(self, call: Hashable) -> str:
        """Return the name of a function, a trigger or a foreign key."""
        if isinstance(call, tuple):
            return f"the {call[0]} {call[1]}"
        return f"{routine_name(str(call)).lower()}()"


def _holds(kind: SqlType, other: SqlType) -> bool:
    """Return whether the integer type `kind` contains all values of `other`."""
    wider = WHOLE_NUMBERS.index(kind.name) - WHOLE_NUMBERS.index(other.name)
    if kind.unsigned == other.unsigned:
        return wider >= 0
    return other.unsigned and wider > 0


def _names(relation: Relation) -> frozenset[str]:
    table = relation.table
    own = {table.name} if table.schema == DEFAULT else set()
    return frozenset(own | {f"{table.schema}.{table.name}"})
