"""The interface by which `relational.tenant` asks an engine about tables and tenants."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from collections.abc import Set as AbstractSet
from typing import Protocol

from aiosqlc.relational.tree import Equality


class Tenancy(Protocol):
    """The questions about tenants that the configuration and the schema answer."""

    def column(self, relation: Hashable) -> int:
        """Return the number of a table's tenant column, or 0 if the table has none."""
        ...

    def shared(self, relation: Hashable) -> bool:
        """Return whether a table's rows belong to all tenants."""
        ...

    def references(self, relation: Hashable) -> tuple[tuple[Hashable, Mapping[int, int]], ...]:
        """Return a table's foreign keys that no row visible to a query violates.

        Each foreign key is a pair: the referenced table, and a mapping from the table's own columns
        to the referenced columns.
        """
        ...

    def ties(self, relation: Hashable) -> tuple[tuple[Hashable, Mapping[int, int]], ...]:
        """Return the foreign keys that may decide to which tenant a row of a table belongs.

        Unlike the foreign keys of `references`, these may be violated until the transaction ends.
        """
        ...

    def unique(self, relation: Hashable, columns: AbstractSet[int]) -> bool:
        """Return whether `columns` contain all columns of one of the table's unique keys."""
        ...

    def not_null(self, relation: Hashable, column: int) -> bool:
        """Return whether a column of a table is never NULL."""
        ...

    def trusted(self) -> bool:
        """Return whether the configuration declares that foreign keys stay within a tenant."""
        ...

    def image(self, equality: Equality) -> bool:
        """Return whether an equality is true only for values whose stored bytes are equal."""
        ...

    def unfit(self, relation: Hashable) -> str:
        """Return why the conversion of a tenant to a table's column length may change the tenant.

        Return '' if no tenant has a value that the conversion may change.
        """
        ...

    def unsupported(self, relation: Hashable) -> str:
        """Return why the type of a table's tenant column allows no proof, or ''."""
        ...

    def stored(self, relation: Hashable) -> bool:
        """Return whether a relation is a materialized view, which may contain all tenants' rows."""
        ...

    def generated(self, relation: Hashable) -> bool:
        """Return whether a generated column decides to which tenant a row of a table belongs.

        The generated column is the tenant column, or a column of one of the foreign keys of `ties`.
        """
        ...

    def replaced(self, relation: Hashable) -> bool:
        """Return whether triggers run in place of the writes to a relation, as for some views."""
        ...

    def changed(self, relation: Hashable) -> bool:
        """Return whether a trigger may change a row that an INSERT or an UPDATE writes."""
        ...

    def reads_rows(self, call: Hashable) -> bool:
        """Return whether a function may read or write rows."""
        ...

    def called(self, call: Hashable) -> str:
        """Return a function's name for messages."""
        ...
