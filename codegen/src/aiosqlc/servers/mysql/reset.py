"""Reset a used copy to the state of a new copy.

Rows are not compared. To delete the rows of an unwritten table is faster than to find out whether
the table was written. DELETE also waits for every uncommitted change of a table, so a change that
could still be committed is found.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import Any

import pymysql
from msgspec import Struct
from pymysql.connections import Connection

from aiosqlc.servers.mysql.definitions import State, named, quoted, results, state_of

# Rows are copied as they are, whatever constraints and values the schema allows now.
SESSION = (
    "SET NAMES utf8mb4",
    "SET foreign_key_checks = 0, time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO'",
)
_PATIENCE = 10.0  # seconds until every other session must have ended
# Columns into which rows are inserted, also those that `SELECT *` does not return.
_COLUMNS = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = DATABASE() AND coalesce(generation_expression, '') = ''
ORDER BY table_name, ordinal_position
"""


class Table(Struct, frozen=True):
    """A table of the template. `filled` means that the template has rows in the table.

    `columns` is the list of columns as SQL. `watched` means that the table has triggers. `forgets`
    means that the storage engine, which is not InnoDB, derives the AUTO_INCREMENT value from rows.
    """

    name: str
    columns: str
    filled: bool
    versioned: bool
    watched: bool
    forgets: bool


class Snapshot(Struct, frozen=True):
    """The state of the template. `sequences` maps each sequence to its next value."""

    template: str
    state: State
    tables: tuple[Table, ...]
    sequences: Mapping[str, int]


def snapshot(connection: Connection[Any], template: str) -> Snapshot:
    """Return the state of the template, which is selected. Raises `pymysql.MySQLError`."""
    state = state_of(connection, template)
    columns: dict[str, list[str]] = {}
    (rows,) = results(connection, [_COLUMNS])
    for table, column in rows:
        columns.setdefault(table, []).append(named(column))
    watched = {trigger.table for trigger in state.of("TRIGGER")}
    tables = state.of("TABLE")
    filled = results(connection, [f"SELECT 1 FROM {named(one.name)} LIMIT 1" for one in tables])  # noqa: S608 - names
    names = [one.name for one in state.of("SEQUENCE")]
    values = results(
        connection,
        [f"SELECT next_not_cached_value FROM {named(name)}" for name in names],  # noqa: S608 - names
    )
    return Snapshot(
        template,
        state,
        tuple(
            Table(
                one.name,
                ", ".join(columns.get(one.name, ())),
                bool(found),
                one.versioned,
                one.name in watched,
                bool(found) and "\n) ENGINE=InnoDB" not in one.sql,
            )
            for one, found in zip(tables, filled, strict=True)
        ),
        {name: row[0] for name, (row,) in zip(names, values, strict=True)},
    )


def reset(connection: Connection[Any], new: Snapshot, before: State, name: str) -> bool:
    """End all other sessions of a copy, and undo their writes since the state `before`.

    Returns False if the copy must be replaced: something other than rows, sequences and
    AUTO_INCREMENT values has changed. Raises `pymysql.MySQLError` if a statement fails.
    """
    if not alone(connection, name):
        return False
    now = state_of(connection, name, before)
    known = {one.name for one in before.of("TABLE")}
    added = now.numbers.keys() - known
    kept = (one for one in now.definitions if one.kind != "TABLE" or one.name in known)
    if tuple(kept) != before.definitions:
        return False
    advanced = {table for table in known if now.numbers[table] != before.numbers[table]}
    watched = [table for table in new.tables if table.watched and not table.filled]
    looks = [f"SELECT 1 FROM {named(table.name)} LIMIT 1 FOR UPDATE" for table in watched]  # noqa: S608 - names
    used = {
        table.name
        for table, rows in zip(watched, results(connection, looks), strict=True)
        if rows or table.name in advanced
    }
    results(
        connection,
        [
            *(f"DROP TABLE {named(one)}" for one in sorted(added)),
            *restarting(new),
            *_undoing(new, before, advanced, used),
        ],
    )
    return True


def restarting(new: Snapshot) -> Iterator[str]:
    """Return the statements with which sequences continue at the values of the template."""
    for name, value in new.sequences.items():
        yield f"ALTER SEQUENCE {named(name)} RESTART {value}"


def inserting(new: Snapshot, tables: Iterable[Table]) -> Iterator[str]:
    """Return the statements that copy the template's rows into empty tables."""
    for table in tables:
        if table.filled:
            source = f"{named(new.template)}.{named(table.name)}"
            yield (
                f"INSERT INTO {named(table.name)} ({table.columns})"  # noqa: S608 - names
                f" SELECT {table.columns} FROM {source}"
            )


def numbering(state: State, tables: Iterable[str]) -> Iterator[str]:
    """Return the statements that set the AUTO_INCREMENT values of some tables."""
    for name in sorted(tables):
        yield f"ALTER TABLE {named(name)} AUTO_INCREMENT = {state.numbers[name]}"


def _undoing(
    new: Snapshot, before: State, advanced: AbstractSet[str], used: Collection[str]
) -> Iterator[str]:
    """Return the statements that restore rows and AUTO_INCREMENT values.

    TRUNCATE restores both, and runs no triggers. `used` are the tables with triggers that are empty
    in the template and not empty here.
    """
    emptied = [t for t in new.tables if not t.filled and t.name in {*advanced, *used}]
    deleted = [t for t in new.tables if t not in emptied and (t.filled or not t.watched)]
    guarded = {t.name for t in deleted if t.watched}
    triggers = [one for one in before.of("TRIGGER") if one.table in guarded]
    for table in emptied:
        yield f"TRUNCATE TABLE {named(table.name)}"
    for trigger in triggers:
        yield f"DROP TRIGGER {named(trigger.name)}"
    yield "START TRANSACTION"
    for table in deleted:
        yield f"DELETE FROM {named(table.name)}"  # noqa: S608 - a name
        if table.versioned:
            yield f"DELETE HISTORY FROM {named(table.name)}"
    yield from inserting(new, deleted)
    yield "COMMIT"
    forgetful = {t.name for t in new.tables if t.forgets and before.numbers[t.name] > 1}
    yield from numbering(before, advanced | forgetful)
    for trigger in triggers:
        yield from trigger.statements
    if triggers:
        yield from SESSION


def alone(connection: Connection[Any], name: str) -> bool:
    """End all other sessions in a database. Return False if a session does not end.

    The server rolls back the transaction of a session before the session disappears.
    """
    sessions = (
        "SELECT id FROM information_schema.processlist"  # noqa: S608 - a generated name
        f" WHERE db = {quoted(name)} AND id <> CONNECTION_ID()"
    )
    deadline = time.monotonic() + _PATIENCE
    ended: set[int] = set()
    while time.monotonic() < deadline:
        (rows,) = results(connection, [sessions])
        if not rows:
            return True
        for (session,) in rows:
            if session not in ended:
                ended.add(session)
                with suppress(pymysql.MySQLError):  # it may have ended by itself
                    results(connection, [f"KILL CONNECTION {session}"])
        time.sleep(0.001)
    return False
