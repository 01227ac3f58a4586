"""Compare the content of tables before and after a migration and its rollback."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from msgspec import Struct


class Column(NamedTuple):
    """A column: its number, which a rename keeps, and a hash of its values, in any order."""

    number: int
    digest: str


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
        digests = {column.number: column.digest for column in held.columns.values()}
        found += [
            f"the values of {name}.{column}"
            for column, (number, digest) in last.columns.items()
            if number in old_numbers and digests.get(number, digest) != digest
        ]
    return tuple(found)


def gone(before: Mapping[str, Contents], after: Mapping[str, Contents]) -> tuple[str, ...]:
    """Return the tables, columns and rows that no longer exist; a renamed object still exists."""
    later = {held.oid: held for held in after.values()}
    found = []
    for table, held in before.items():
        now = later.get(held.oid)
        if now is None:
            found.append(f"the table {table}")
            continue
        numbers = {column.number for column in now.columns.values()}
        dropped = [name for name, column in held.columns.items() if column.number not in numbers]
        found += [f"the column {table}.{name}" for name in dropped]
        found += [f"rows of {table}"] * (now.rows < held.rows)
    return tuple(found)
