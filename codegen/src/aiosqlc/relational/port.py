"""The interface by which proofs ask an engine about a schema, and an engine that knows nothing."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Protocol

from aiosqlc.ir import ColumnRef, SqlType
from aiosqlc.relational.tree import Command, Function, Handle, Relation, Table, UniqueKey


class Engine(Protocol):
    """The questions about a schema that proofs ask an engine (PostgreSQL or MySQL).

    If the answer is unknown, the engine returns the value that `Pessimist` returns.
    """

    @property
    def applies(self) -> frozenset[str]:
        """Return the registry's inference rules that this engine supports."""
        ...

    def holds(self, rule: str, premise: str, value: object) -> bool:
        """Return whether the engine supports an inference rule and the precondition is met."""
        ...

    def keys(self, table: Table) -> tuple[UniqueKey, ...]:
        """Return the keys that are unique among the rows of a table."""
        ...

    def deterministic(self, collation: Hashable) -> bool:
        """Return whether a collation treats only strings with equal bytes as equal."""
        ...

    def same(self, key: Hashable, stored: Handle, source: int) -> bool:
        """Return whether an expression of a query is the same as an expression of an index."""
        ...

    def implies(self, condition: Handle, predicate: Handle, source: int) -> bool:
        """Return whether a condition implies one condition of a partial index's predicate."""
        ...

    def may_skip(self, relation: Relation, command: Command) -> bool:
        """Return whether a write to a table may skip a row without an error (by a trigger)."""
        ...

    def has_row(self, function: Function) -> bool:
        """Return whether the set-returning functions of a FROM item always return a row."""
        ...

    def whole(self, relation: Relation | None, columns: Sequence[int]) -> ColumnRef | None:
        """Return the table or view whose columns are exactly the given ones, in order, or None."""
        ...

    def not_null(self, relation: Relation | None, column: int) -> bool:
        """Return whether a column of a table is declared NOT NULL."""
        ...

    def keeps_type(self, relation: Relation | None, column: int, kind: SqlType) -> bool:
        """Return whether a result column of a set operation has the type of a column of a table.

        `kind` is the type of the result column.
        """
        ...

    def column_name(self, relation: Relation | None, column: int) -> str:
        """Return a column's name for messages, or an empty string if it is unknown."""
        ...


class Pessimist:
    """An engine that knows nothing about the schema."""

    applies: frozenset[str] = frozenset()

    def holds(self, rule: str, premise: str, value: object) -> bool:
        """Return whether an inference rule is supported and the rule's precondition is met."""
        del premise
        return rule in self.applies and bool(value)

    def keys(self, table: Table) -> tuple[UniqueKey, ...]:
        """Return no keys."""
        del table
        return ()

    def deterministic(self, collation: Hashable) -> bool:
        """Return False for every collation."""
        del collation
        return False

    def same(self, key: Hashable, stored: Handle, source: int) -> bool:
        """Return False for every expression."""
        del key, stored, source
        return False

    def implies(self, condition: Handle, predicate: Handle, source: int) -> bool:
        """Return False for every condition."""
        del condition, predicate, source
        return False

    def may_skip(self, relation: Relation, command: Command) -> bool:
        """Return True, because any table may have a trigger."""
        del relation, command
        return True

    def has_row(self, function: Function) -> bool:
        """Return False for every function."""
        del function
        return False

    def whole(self, relation: Relation | None, columns: Sequence[int]) -> ColumnRef | None:
        """Return None for every table."""
        del relation, columns
        return None

    def not_null(self, relation: Relation | None, column: int) -> bool:
        """Return False for every column."""
        del relation, column
        return False

    def keeps_type(self, relation: Relation | None, column: int, kind: SqlType) -> bool:
        """Return False for every column."""
        del relation, column, kind
        return False

    def column_name(self, relation: Relation | None, column: int) -> str:
        """Return an empty string for every column."""
        del relation, column
        return ""
