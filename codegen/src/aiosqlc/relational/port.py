"""The questions that the proofs ask an engine, and the engine that knows nothing."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Protocol

from aiosqlc.ir import ColumnRef
from aiosqlc.relational.tree import Command, Function, Handle, Relation, Table, UniqueKey


class Engine(Protocol):
    """The answers of an engine. Where it does not know, it answers as `Pessimist` does."""

    @property
    def applies(self) -> frozenset[str]:
        """The rules of the register that this engine has adopted."""
        ...

    def holds(self, rule: str, premise: str, value: object) -> bool:
        """Return whether a rule is adopted and a premise of it is met."""
        ...

    def keys(self, table: Table) -> tuple[UniqueKey, ...]:
        """Return the keys that no two rows of a table share."""
        ...

    def deterministic(self, collation: Hashable) -> bool:
        """Return whether equality under a collation is equality of the bytes."""
        ...

    def same(self, key: Hashable, stored: Handle, source: int) -> bool:
        """Return whether an opaque expression is one that an index of a source stores."""
        ...

    def implies(self, condition: Handle, predicate: Handle, source: int) -> bool:
        """Return whether a condition implies a part of the predicate of a source's index."""
        ...

    def may_skip(self, relation: Relation, command: Command) -> bool:
        """Return whether a row that is written may be left out in silence."""
        ...

    def has_row(self, function: Function) -> bool:
        """Return whether functions in FROM that may make sets surely make a row."""
        ...

    def whole(self, relation: Relation | None, columns: Sequence[int]) -> ColumnRef | None:
        """Return a table or view if these are its columns, all of them in its order."""
        ...

    def not_null(self, relation: Relation | None, column: int) -> bool:
        """Return whether a column of a table is declared NOT NULL."""
        ...


class Pessimist:
    """An engine that knows nothing, whatever it has adopted."""

    applies: frozenset[str] = frozenset()

    def holds(self, rule: str, premise: str, value: object) -> bool:
        """Meet no more premises than are met."""
        del premise
        return rule in self.applies and bool(value)

    def keys(self, table: Table) -> tuple[UniqueKey, ...]:
        """Know no key."""
        del table
        return ()

    def deterministic(self, collation: Hashable) -> bool:
        """Trust no collation."""
        del collation
        return False

    def same(self, key: Hashable, stored: Handle, source: int) -> bool:
        """Recognise nothing."""
        del key, stored, source
        return False

    def implies(self, condition: Handle, predicate: Handle, source: int) -> bool:
        """Conclude nothing."""
        del condition, predicate, source
        return False

    def may_skip(self, relation: Relation, command: Command) -> bool:
        """Expect a trigger everywhere."""
        del relation, command
        return True

    def has_row(self, function: Function) -> bool:
        """Expect no row."""
        del function
        return False

    def whole(self, relation: Relation | None, columns: Sequence[int]) -> ColumnRef | None:
        """Know no table."""
        del relation, columns
        return None

    def not_null(self, relation: Relation | None, column: int) -> bool:
        """Know no constraint."""
        del relation, column
        return False
