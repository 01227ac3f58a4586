"""Read how the objects of a database are defined, as statements that create them again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import pymysql
from msgspec import Struct
from pymysql.connections import Connection

# The number is the next AUTO_INCREMENT value; the server shows it unless it is 1.
_NUMBER = re.compile(r"(\n\) ENGINE=\w+) AUTO_INCREMENT=(\d+)")
_TABLES = """
SELECT table_type, table_name, '' FROM information_schema.tables
WHERE table_schema = DATABASE() ORDER BY table_name
"""
_ROUTINES = """
SELECT routine_type, routine_name, '' FROM information_schema.routines
WHERE routine_schema = DATABASE() ORDER BY routine_type, routine_name
"""
_EVENTS = """
SELECT 'EVENT', event_name, '' FROM information_schema.events
WHERE event_schema = DATABASE() ORDER BY event_name
"""
# SHOW CREATE has one word for both kinds of table.
_KINDS = {"BASE TABLE": "TABLE", "SYSTEM VERSIONED": "TABLE"}
# The columns of SHOW CREATE that have the text, the SQL mode, the collation and the time zone.
_COLUMNS: Mapping[str, tuple[int, int | None, int | None, int | None]] = {
    "DATABASE": (1, None, None, None),
    "TABLE": (1, None, None, None),
    "SEQUENCE": (1, None, None, None),
    "VIEW": (1, None, 3, None),
    "TRIGGER": (2, 1, 4, None),
    "EVENT": (3, 1, 5, 2),
}
_ROUTINE = (2, 1, 4, None)


class Definition(Struct, frozen=True):
    """An object of a database. `settings` are those of the session that created it.

    `kind` is the word after SHOW CREATE. `table` is the table of a trigger. `versioned` is true for
    a table that keeps deleted rows.
    """

    kind: str
    name: str
    sql: str
    settings: tuple[tuple[str, str], ...]
    table: str = ""
    versioned: bool = False

    @property
    def shown(self) -> str:
        """Return the statement that shows the definition."""
        return _show(self.kind, self.name)

    @property
    def statements(self) -> tuple[str, ...]:
        """Return the statements that create the object in the selected database."""
        return (*(f"SET {name} = {quoted(value)}" for name, value in self.settings), self.sql)


class State(Struct, frozen=True):
    """The definitions in a database, and the next AUTO_INCREMENT value of each table."""

    definitions: tuple[Definition, ...]
    numbers: Mapping[str, int]

    def of(self, *kinds: str) -> list[Definition]:
        """Return the objects of some kinds, one kind after the other."""
        return [one for kind in kinds for one in self.definitions if one.kind == kind]


def named(name: str) -> str:
    """Return a name as SQL."""
    return "`" + name.replace("`", "``") + "`"


def quoted(text: str) -> str:
    """Return a text without backslashes, such as an SQL mode, as SQL."""
    return "'" + text.replace("'", "''") + "'"


def _show(kind: str, name: str) -> str:
    return f"SHOW CREATE {kind} {named(name)}"


def results(
    connection: Connection[Any], statements: Iterable[str]
) -> list[tuple[tuple[Any, ...], ...]]:
    """Run statements in one round trip, and return the rows of each. Raises `MySQLError`."""
    text = ";".join(statements)
    if not text:
        return []
    with connection.cursor() as cursor:
        cursor.execute(text)
        found = [tuple(cursor.fetchall())]
        while cursor.nextset():
            found.append(tuple(cursor.fetchall()))
    return found


def state_of(connection: Connection[Any], database: str, like: State | None = None) -> State:
    """Return the definitions of all objects in the selected database, whose name is `database`.

    One round trip is enough if the objects have the names of `like`. Raises `pymysql.MySQLError`,
    also if an object of `like` does not exist.
    """
    expected = [one.shown for one in like.definitions] if like else []
    tables, routines, triggers, events, *rows = results(
        connection, (_TABLES, _ROUTINES, "SHOW TRIGGERS", _EVENTS, *expected)
    )
    watches = [("TRIGGER", row[0], row[2]) for row in triggers]
    watches.sort(key=lambda row: row[2])  # in the server's order for each table
    objects = [("DATABASE", database, ""), *tables, *routines, *watches, *events]
    kinds = [_KINDS.get(kind, kind) for kind, _, _ in objects]
    shows = [_show(kind, name) for kind, (_, name, _) in zip(kinds, objects, strict=True)]
    if shows != expected:
        rows = results(connection, shows)
    definitions, numbers = [], {}
    for (row,), (given, name, table), kind in zip(rows, objects, kinds, strict=True):
        text, mode, collation, zone = _COLUMNS.get(kind, _ROUTINE)
        sql = row[text]
        if sql is None:
            raise pymysql.OperationalError(f"the account cannot read the definition of {name}")
        if kind == "TABLE":
            number = _NUMBER.search(sql)
            numbers[name] = int(number[2]) if number else 1
            sql = _NUMBER.sub(r"\1", sql, count=1)
        settings = tuple(
            (setting, str(row[at]))
            for setting, at in (
                ("sql_mode", mode),
                ("collation_connection", collation),
                ("time_zone", zone),
            )
            if at is not None
        )
        definitions.append(
            Definition(kind, name, sql, settings, table, given == "SYSTEM VERSIONED")
        )
    return State(tuple(definitions), numbers)
