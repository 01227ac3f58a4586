"""Find the column of each table that stores the tenant."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import cached_property

from msgspec import Struct

from aiosqlc.ir import Tenant


class TenantTable(Struct, frozen=True):
    """A table: the names that the configuration may use for it, and its column numbers by name.

    `key` is the column of the primary key, or 0 if the primary key is not a single column.
    `foreign` are the foreign keys with a single column: the table's own column, the referenced
    table and the referenced column.
    """

    names: frozenset[str]
    columns: Mapping[str, int]
    key: int = 0
    foreign: tuple[tuple[int, Hashable, int], ...] = ()


class TenantColumns:
    """The tenant settings of the configuration, applied to the tables of a schema."""

    def __init__(self, tenant: Tenant, tables: Mapping[Hashable, TenantTable]) -> None:
        self.tenant = tenant
        self.tables = tables
        self._columns: dict[Hashable, int] = {}

    def column(self, relation: Hashable) -> int:
        """Return the number of a table's tenant column, or 0 if the table has none.

        In the table that lists the tenants, it is the key to which the tenant columns of other
        tables refer. In another table, it is the column with a configured name, or else the only
        foreign key to the table of the tenants.
        """
        if relation not in self._columns:
            self._columns[relation] = self.named(relation) or self._by_key(relation)
        return self._columns[relation]

    def shared(self, relation: Hashable) -> bool:
        """Return whether the configuration lists a table as shared."""
        table = self.tables.get(relation)
        return table is not None and not table.names.isdisjoint(self.tenant.shared)

    def named(self, relation: Hashable) -> int:
        """Return the number of a table's column with a configured tenant name, or 0 if none."""
        table = self.tables.get(relation)
        names = (self.tenant.column, *self.tenant.columns) if table is not None else ()
        columns = table.columns if table is not None else {}
        return next((columns[name] for name in names if name in columns), 0)

    def _by_key(self, relation: Hashable) -> int:
        if relation in self.keys:
            return self.keys[relation]
        table = self.tables.get(relation)
        foreign = table.foreign if table is not None else ()
        own = {column for column, other, its in foreign if self.keys.get(other) == its}
        return own.pop() if len(own) == 1 else 0

    @cached_property
    def keys(self) -> Mapping[Hashable, int]:
        """Return the tables with one row per tenant, and the column to which tenant columns refer.

        If the configuration names such a table, it is the only one. Otherwise they are the tables
        to which foreign keys of tenant columns refer.
        """
        found: dict[Hashable, set[int]] = {}
        for relation, table in self.tables.items():
            if table.key and self.tenant.table in table.names:
                return {relation: table.key}
            for column, other, its in table.foreign:
                if column == self.named(relation) and other != relation:
                    found.setdefault(other, set()).add(its)
        return {
            table: keys.pop()
            for table, keys in found.items()
            if len(keys) == 1 and not self.named(table) and not self.shared(table)
        }
