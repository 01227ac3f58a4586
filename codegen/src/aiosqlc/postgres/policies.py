"""Row-level security policies for the tables of the tenants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from aiosqlc.analysis.grants import plain_or
from aiosqlc.analysis.policies import Policies, Policy
from aiosqlc.ir import Tenant
from aiosqlc.postgres.catalog.facts import Facts
from aiosqlc.postgres.catalog.rows import ConstraintRow, Relation
from aiosqlc.postgres.infer.tenants import Tenants

_TABLES = ("r", "p")


def policies(facts: Facts, tenant: Tenant, setting: str) -> Policies:
    """Return a policy for each table that belongs to the tenants.

    `setting` is the name of the session setting that contains the tenant.
    """
    return _Writer(facts, tenant, setting).policies()


class _Writer:
    def __init__(self, facts: Facts, tenant: Tenant, setting: str) -> None:
        self.facts = facts
        self.tenants = Tenants(facts, tenant)
        self.setting = setting
        self.quote: Callable[[str], str] = plain_or('"', facts.reserved)

    def policies(self) -> Policies:
        tables = {
            oid: entry
            for oid, entry in sorted(self.facts.relations.items(), key=lambda item: item[1].name)
            if entry.kind in _TABLES and not self.tenants.shared(oid)
        }
        owned = {oid for oid in tables if self.tenants.column(oid)}
        parents: dict[int, list[ConstraintRow]] = {}
        while more := {
            oid: keys
            for oid in tables
            if oid not in owned
            and (keys := [key for key in self.tenants.keys(oid) if key.foreign_relation in owned])
        }:
            owned |= more.keys()
            parents |= more
        for oid, keys in parents.items():
            # The server refuses policies that read each other's tables.
            keys += [
                key
                for key in self.tenants.keys(oid)
                if key not in keys
                and key.foreign_relation in owned
                and not _reaches(parents, key.foreign_relation, oid)
            ]
        return Policies(
            tuple(
                self.by_keys(oid, parents[oid]) if oid in parents else self.by_column(oid)
                for oid in tables
                if oid in owned
            ),
            tuple(self.name(tables[oid]) for oid in tables if oid not in owned),
        )

    def by_column(self, oid: int) -> Policy:
        column = self.facts.attributes[oid, self.tenants.column(oid)]
        cast = f"current_setting({_text(self.setting)})::{self.facts.type_name(column.type)}"
        own = f"{self.quote(column.name)} = {cast}"
        return Policy(self.name(self.facts.relations[oid]), own, own)

    def by_keys(self, oid: int, keys: Sequence[ConstraintRow]) -> Policy:
        """Return the policy of a table whose foreign keys refer to tables with a policy.

        In a new row, each foreign key must be NULL or refer to a row of the tenant. At least one
        foreign key must not be NULL.
        """
        found = [self.exists(oid, key) for key in keys]
        using = " OR ".join(found)
        checks = [
            exists
            if self.facts.not_null(oid, key.columns[0])
            else f"({self.column(oid, key.columns[0])} IS NULL OR {exists})"
            for key, exists in zip(keys, found, strict=True)
        ]
        some = any(self.facts.not_null(oid, key.columns[0]) for key in keys)
        check = " AND ".join(checks if some else [*checks, f"({using})"])
        return Policy(self.name(self.facts.relations[oid]), using, check)

    def exists(self, oid: int, key: ConstraintRow) -> str:
        """Return the condition that a row of the referenced table exists and is visible."""
        conditions = " AND ".join(
            f"parent.{self.quote(self.facts.attributes[key.foreign_relation, its].name)}"
            f" = {self.column(oid, own)}"
            for own, its in zip(key.columns, key.foreign_columns, strict=True)
        )
        parent = self.name(self.facts.relations[key.foreign_relation])
        return f"EXISTS (SELECT FROM {parent} AS parent WHERE {conditions})"

    def column(self, oid: int, number: int) -> str:
        table, column = self.facts.relations[oid].name, self.facts.attributes[oid, number].name
        return f"{self.quote(table)}.{self.quote(column)}"

    def name(self, entry: Relation) -> str:
        schema = "" if entry.schema == "public" else f"{self.quote(entry.schema)}."
        return schema + self.quote(entry.name)


def _reaches(parents: Mapping[int, Sequence[ConstraintRow]], start: int, end: int) -> bool:
    rest, seen = [start], set[int]()
    while rest:
        here = rest.pop()
        if here == end:
            return True
        if here not in seen:
            seen.add(here)
            rest += [key.foreign_relation for key in parents.get(here, ())]
    return False


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
