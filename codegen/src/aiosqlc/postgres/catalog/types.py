"""Convert the types and tables in the database's catalog to objects of `aiosqlc.ir`."""

from __future__ import annotations

from collections.abc import Mapping

from aiosqlc.ir import Catalog, Column, Constraint, SqlType, Table, TableColumn, TypeKind
from aiosqlc.parse.json_checks import required_kind
from aiosqlc.postgres.catalog.elements import elements_checked
from aiosqlc.postgres.catalog.facts import FIRST_USER_OID, Facts
from aiosqlc.postgres.catalog.rows import Attribute, TypeRow

_KINDS = {
    "b": TypeKind.BASE,
    "e": TypeKind.ENUM,
    "d": TypeKind.DOMAIN,
    "c": TypeKind.COMPOSITE,
    "r": TypeKind.RANGE,
    "m": TypeKind.MULTIRANGE,
    "p": TypeKind.PSEUDO,
}
_TABLES = {"r": "table", "p": "partitioned", "v": "view", "m": "matview", "f": "foreign"}
_CONSTRAINTS = {
    "p": "primary", "u": "unique", "f": "foreign", "c": "check", "n": "not_null", "x": "exclude",
}  # fmt: skip
_TYPMOD_HEADER = 4
_DEEPEST = 8


class Types:
    """Creates and caches the `SqlType` for each OID, type modifier and number of dimensions."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._known: dict[tuple[int, int, int], SqlType] = {}

    def get(self, oid: int, typmod: int = -1, dims: int = 0, depth: int = 0) -> SqlType:
        """Return the type for an OID and modifier, with the declared number of dimensions."""
        key = (oid, typmod, dims)
        if key not in self._known:
            self._known[key] = self._build(oid, typmod, dims, depth)
        return self._known[key]

    def _build(self, oid: int, typmod: int, dims: int, depth: int) -> SqlType:
        row = self.facts.types.get(oid)
        if row is None or depth > _DEEPEST:
            return SqlType("pg_catalog", "unknown")
        if row.element:
            item = self.get(row.element, typmod, 0, depth + 1)
            return _with_dims(item, max(dims, 1))
        kind = _KINDS.get(row.kind, TypeKind.BASE)
        base = None
        fields: tuple[tuple[str, SqlType, bool], ...] = ()
        if kind is TypeKind.DOMAIN:
            base = self.get(row.base, row.typmod, row.dims, depth + 1)
        elif row.subtype:
            base = self.get(row.subtype, -1, 0, depth + 1)
        if kind is TypeKind.COMPOSITE:
            fields = tuple(
                (a.name, self.get(a.type, a.typmod, a.dims, depth + 1), False)
                for a in self.facts.columns.get(row.relation, ())
            )
        length, precision, scale = _modifiers(row, typmod)
        return SqlType(
            schema=row.schema,
            name=row.name,
            kind=kind,
            labels=self.facts.labels.get(oid, ()),
            base=base,
            fields=fields,
            domain_not_null=row.not_null,
            length=length,
            precision=precision,
            scale=scale,
        )


def _with_dims(item: SqlType, dims: int) -> SqlType:
    return SqlType(
        schema=item.schema,
        name=item.name,
        kind=item.kind,
        array_dims=dims,
        labels=item.labels,
        base=item.base,
        fields=item.fields,
        domain_not_null=item.domain_not_null,
        length=item.length,
        precision=item.precision,
        scale=item.scale,
    )


def _modifiers(row: TypeRow, typmod: int) -> tuple[int | None, int | None, int | None]:
    """Return the length, precision and scale that a type modifier encodes."""
    if typmod < _TYPMOD_HEADER or row.schema != "pg_catalog":
        return (typmod if typmod >= 0 and row.name in {"bit", "varbit"} else None), None, None
    if row.name in {"varchar", "bpchar"}:
        return typmod - _TYPMOD_HEADER, None, None
    if row.name in {"bit", "varbit"}:
        return typmod, None, None
    if row.name == "numeric":
        value = typmod - _TYPMOD_HEADER
        scale = value & 0x7FF
        return None, (value >> 16) & 0xFFFF, scale - 0x800 if scale & 0x400 else scale
    return None, None, None


def build_catalog(
    facts: Facts, types: Types, views: Mapping[int, tuple[Column, ...]] | None = None
) -> Catalog:
    """Return the user's tables and types; `views` has the inferred columns of each view."""
    proved = {
        (view, number): column
        for view, columns in (views or {}).items()
        for number, column in enumerate(columns)
    }
    tables = []
    for relation in facts.relations.values():
        if relation.kind not in _TABLES:
            continue
        columns = tuple(
            _table_column(facts, types, a, proved.get((relation.oid, index)))
            for index, a in enumerate(facts.columns.get(relation.oid, ()))
        )
        tables.append(
            Table(
                schema=relation.schema,
                name=relation.name,
                columns=columns,
                kind=_TABLES[relation.kind],
                comment=relation.comment,
                constraints=constraints_of(facts, relation.oid),
            )
        )
    user_types = tuple(
        types.get(t.oid)
        for t in facts.types.values()
        if t.oid >= FIRST_USER_OID and not t.element and _is_declared(facts, t)
    )
    return Catalog(
        tables=tuple(sorted(tables, key=lambda t: (t.schema, t.name))),
        types=tuple(sorted(user_types, key=lambda t: (t.schema, t.name))),
    )


def _table_column(facts: Facts, types: Types, row: Attribute, proved: Column | None) -> TableColumn:
    full = elements_checked(facts, row.relation, row.number)
    return TableColumn(
        name=row.name,
        type=types.get(row.type, row.typmod, row.dims),
        not_null=proved.not_null if proved else facts.not_null(row.relation, row.number),
        has_default=row.has_default,
        comment=row.comment,
        element_not_null=proved.element_not_null if proved else full,
        json_kind=required_kind(
            (c.definition for c in facts.constraints.get(row.relation, ()) if c.kind == "c"),
            row.name,
        ),
    )


def _is_declared(facts: Facts, row: TypeRow) -> bool:
    """Return whether CREATE TYPE or CREATE DOMAIN made a type, and not CREATE TABLE."""
    if row.schema in {"pg_catalog", "information_schema", "pg_toast"}:
        return False
    relation = facts.relations.get(row.relation)
    return row.kind in "edrm" or (row.kind == "c" and relation is not None and relation.kind == "c")


def constraints_of(facts: Facts, relation: int) -> tuple[Constraint, ...]:
    """Return a table's constraints, and those unique indexes that belong to no constraint."""
    if relation not in facts.described_constraints:
        facts.described_constraints[relation] = _describe_constraints(facts, relation)
    return facts.described_constraints[relation]


def _describe_constraints(facts: Facts, relation: int) -> tuple[Constraint, ...]:
    entry = facts.relations.get(relation)
    if entry is None:
        return ()
    names = {a.number: a.name for a in facts.columns.get(relation, ())}
    found = {
        c.name: Constraint(
            entry.schema,
            entry.name,
            c.name,
            _CONSTRAINTS[c.kind],
            tuple(names[n] for n in c.columns if n in names),
        )
        for c in facts.constraints.get(relation, ())
        if c.kind in _CONSTRAINTS
    }
    for index in facts.indexes.get(relation, ()):
        if index.name not in found:
            columns = tuple(names[n] for n in index.columns[: index.keys] if n in names)
            found[index.name] = Constraint(entry.schema, entry.name, index.name, "unique", columns)
    return tuple(found.values())
