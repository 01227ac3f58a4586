"""Compare the content of tables before and after a migration and its rollback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct


class Column(NamedTuple):
    """A column: its number, which a rename keeps, and a hash of its values, in any order.

    `values` is the number of different values without NULL. `kind` is the type.
    """

    number: int
    digest: str
    values: int = 0
    kind: str = ""

    def loses(self, later: Column) -> bool:
        """Return whether the values of a later state are fewer, so that they cannot be restored.

        A change of the type loses a value if two values become one. Other changes may assign values
        on purpose, so they lose the values only if all rows get one value or NULL.
        """
        if later.kind != self.kind:
            return later.values < self.values
        return later.values <= 1 < self.values


class Contents(Struct, frozen=True):
    """The content of a table. `oid` identifies the table even if it is renamed."""

    oid: int
    rows: int
    columns: Mapping[str, Column]


def lost(before: Mapping[str, Contents], after: Mapping[str, Contents]) -> tuple[str, ...]:
    """Return descriptions of the data that a migration's rollback did not restore."""
    found = []
    for table, held in before.items():
        now = after.get(table)
        if now is None:
            found.append(f"the table {table} and its rows")
            continue
        if now.rows < held.rows:
            found.append(f"rows of {table}")
            continue
        gone = [name for name in held.columns if name not in now.columns]
        other = [
            name
            for name, column in held.columns.items()
            if name in now.columns and now.columns[name].digest != column.digest
        ]
        found += [f"the values of {table}.{name}" for name in [*gone, *other]]
    return tuple(found)


def changed(
    old: Mapping[str, Contents], written: Mapping[str, Contents], after: Mapping[str, Contents]
) -> tuple[str, ...]:
    """Return descriptions of the data, written after a migration, that the rollback changes.

    `old` is the content before the migration. `written` is the content after the migration, with
    the rows that were written then. `after` is the content after the rollback. Tables and columns
    that the migration created are left out, because the rollback always removes them.
    """
    known = {held.oid: held for held in old.values()}
    now = {held.oid: (name, held) for name, held in after.items()}
    found = []
    for held in written.values():
        if held.oid not in known or held.oid not in now:
            continue
        name, last = now[held.oid]
        if last.rows < held.rows:
            found.append(f"rows of {name}")
            continue
        old_numbers = {column.number for column in known[held.oid].columns.values()}
        columns = {column.number: column for column in held.columns.values()}
        found += [
            f"the values of {name}.{shown}"
            for shown, column in last.columns.items()
            if column.number in old_numbers & columns.keys()
            and _differs(columns[column.number], column)
        ]
    return tuple(found)


def _differs(written: Column, last: Column) -> bool:
    """Return whether a column has other values; texts of values of two types are not comparable."""
    if written.kind == last.kind:
        return written.digest != last.digest
    return written.loses(last)


def gone(before: Mapping[str, Contents], after: Mapping[str, Contents]) -> tuple[str, ...]:
    """Return the tables, columns, rows and values that no longer exist.

    A renamed object still exists.
    """
    later = {held.oid: held for held in after.values()}
    found = []
    for table, held in before.items():
        now = later.get(held.oid)
        if now is None:
            found.append(f"the table {table}")
            continue
        columns = {column.number: column for column in now.columns.values()}
        dropped = [n for n, column in held.columns.items() if column.number not in columns]
        found += [f"the column {table}.{name}" for name in dropped]
        if now.rows < held.rows:
            found.append(f"rows of {table}")
            continue
        found += [
            f"values of {table}.{name}"
            for name, column in held.columns.items()
            if column.number in columns and column.loses(columns[column.number])
        ]
    return tuple(found)
