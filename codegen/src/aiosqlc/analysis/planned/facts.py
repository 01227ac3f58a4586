"""The indexes and foreign keys of a schema, with the details that affect query plans."""

from __future__ import annotations

from msgspec import Struct


class Index(Struct, frozen=True):
    """An index of a table. The name of a table outside `public` starts with its schema and a dot.

    `columns` are the names of the key columns, with '' for an expression. `keys` are the SQL texts
    of the key columns and expressions, with orders (`at DESC`) and unusual operator classes.
    `where` is the condition of a partial index, or ''. `method` is the access method (`btree`).
    `needed` is true if a constraint depends on the index. `includes` is true if the index stores
    further columns.
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


class Reference(Struct, frozen=True):
    """A foreign key from the table `child` to the table `parent`.

    `cascades` means that deleting a row of the parent changes rows of the child. `check` is the
    statement that the server runs on the child for each deleted row of the parent.
    """

    name: str
    child: str
    columns: tuple[str, ...]
    parent: str
    cascades: bool
    check: str
