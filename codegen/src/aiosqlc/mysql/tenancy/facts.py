"""The information about tenants and tables that the conversion of a statement needs."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Final, Protocol

from aiosqlc.ir import SqlType
from aiosqlc.mysql.relations import DEFAULT, Relation
from aiosqlc.mysql.scope import Level
from aiosqlc.relational.tree import Derived, Opaque, Query

Frames = tuple[Level | None, ...]
"""The scopes of the enclosing queries, innermost first; None for a set operation."""
OTHER: Final = Query()
"""A query about which nothing can be proved."""


class Facts(Protocol):
    """Answers questions about tenant columns and foreign keys while a statement is converted."""

    def exact(self, kind: SqlType | None, collation: str) -> bool:
        """Return whether two equal values of a type always identify the same tenant."""
        ...

    def holds_tenants(self, kind: SqlType) -> bool:
        """Return whether values of a type are compared like the values of tenant columns."""
        ...

    def fits(self, relation: Relation, column: str) -> bool:
        """Return whether a column can store every tenant value without truncation."""
        ...

    def followed(self, relation: Relation) -> Iterator[str]:
        """Yield the foreign keys by which a DELETE may change other tenants' rows of the table."""
        ...

    def view(self, relation: Relation) -> Query:
        """Return the SELECT of a view as a `Query`."""
        ...


def beside(relation: Relation, name: str) -> str:
    """Return the name of a table's trigger or key, with the database unless it is the default."""
    schema = relation.table.schema
    return name if schema == DEFAULT else f"{schema}.{name}"


def identity(relation: Relation) -> Hashable:
    """Return the key that identifies a table in a `Query`."""
    return relation.table.schema, relation.table.name


def number_of(relation: Relation, column: str) -> int:
    """Return a column's number, counted from 1, or 0 if the table does not have the column."""
    wanted = column.lower()
    names = [c.name.lower() for c in relation.table.columns]
    return names.index(wanted) + 1 if wanted in names else 0


def derived(query: Query) -> Derived:
    """Return a query as a FROM item."""
    return Derived(query=lambda: query)


def opaque(key: object) -> Opaque:
    """Return an expression of which nothing is known."""
    return Opaque(key=id(key), args=())
