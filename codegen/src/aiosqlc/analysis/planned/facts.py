"""The indexes and foreign keys of a schema, with the details that affect query plans."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Index:
    """An index of a table. The name of a table outside `public` starts with its schema and a dot.

    `columns` are its keys, with '' for an expression. `keys` are the same with expressions, orders
    (`at DESC`) and unusual operator classes. `where` is the condition of a partial index, or ''.
    `method` is its access method (`btree`). `needed` is true if a constraint depends on the index.
    `includes` is true if the index stores further columns.
    """

    table: str
    name: str
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    where: str
    method: str
    unique: bool
    needed: bool
    includes: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """A foreign key. `cascades` is whether deleting in the parent changes rows of the child.

    `check` is the statement that the server runs in the child for each deleted row of the parent.
    """

    name: str
    child: str
    columns: tuple[str, ...]
    parent: str
    cascades: bool
    check: str
