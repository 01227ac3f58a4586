"""Copies of a migrated MySQL database: run its statements again instead of the migrations.

The module also resets a used copy to its first state.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pymysql.connections import Connection

_TABLE = re.compile("CREATE TABLE (`[^`]+`)")
_TRIGGER = re.compile("^CREATE .*TRIGGER", re.MULTILINE)
_NUMBERED = re.compile("AUTO_INCREMENT")
_COUNT = re.compile(" AUTO_INCREMENT=[0-9]+")
_ROUTINES = "SELECT count(*) FROM information_schema.routines WHERE routine_schema = %s"
_TABLES = """
SELECT table_name, table_type FROM information_schema.tables
WHERE table_schema = %s ORDER BY table_type, table_name
"""
_COLUMNS = """
SELECT table_name, column_name FROM information_schema.columns
WHERE table_schema = %s AND extra NOT LIKE '%%GENERATED%%' ORDER BY ordinal_position
"""
_TRIGGERS = """
SELECT trigger_name FROM information_schema.triggers
WHERE trigger_schema = %s
ORDER BY event_object_table, action_timing, event_manipulation, action_order
"""


def dump(connection: Connection[Any], database: str) -> tuple[str, ...] | None:
    """Return the statements that create a copy of `database`, with its rows, in an empty database.

    Return None if the database has objects that cannot be copied: stored procedures and functions.
    """
    connection.select_db(database)
    if _rows(connection, _ROUTINES, database) != [(0,)]:
        return None
    tables = _rows(connection, _TABLES, database)
    names = {table for table, kind in tables if kind == "BASE TABLE"}
    columns: dict[str, list[str]] = {name: [] for name in names}
    for table, column in _rows(connection, _COLUMNS, database):
        if table in names:
            columns[table].append(column)
    made = [_made(connection, "TABLE", table) for table in sorted(names)]
    copied = [
        _copy(database, table, found)
        for table, found in sorted(columns.items())
        if _rows(connection, f"SELECT 1 FROM {_quoted(table)} LIMIT 1")  # noqa: S608 - a name of the server's
    ]
    views = [_made(connection, "VIEW", table) for table, kind in tables if kind == "VIEW"]
    triggers = [
        _made(connection, "TRIGGER", name) for (name,) in _rows(connection, _TRIGGERS, database)
    ]
    inside = [text.replace(f"{_quoted(database)}.", "") for text in (*views, *triggers)]
    return ("SET foreign_key_checks = 0", *made, *copied, *inside, "SET foreign_key_checks = 1")


def restore(connection: Connection[Any], database: str, template: tuple[str, ...]) -> bool:
    """Restore the rows of a used copy; if its schema has changed, return False and do nothing."""
    found = dump(connection, database)
    # Triggers would have a say in what is deleted and written here.
    if found is None or _shape(found) != _shape(template) or _TRIGGER.search("\n".join(template)):
        return False
    with connection.cursor() as cursor:
        cursor.execute("SET foreign_key_checks = 0")
        for statement in found:
            if table := _TABLE.match(statement):
                # Only TRUNCATE resets AUTO_INCREMENT; for other tables DELETE is faster.
                empty = "TRUNCATE" if _NUMBERED.search(statement) else "DELETE FROM"
                cursor.execute(f"{empty} {table[1]}")
        for statement in template:
            if statement.startswith("INSERT"):
                cursor.execute(statement)
    return True


def _shape(statements: tuple[str, ...]) -> list[str]:
    return [_COUNT.sub("", each) for each in statements if not each.startswith("INSERT")]


def _made(connection: Connection[Any], kind: str, name: str) -> str:
    row = _rows(connection, f"SHOW CREATE {kind} {_quoted(name)}")[0]
    return str(row[2] if kind == "TRIGGER" else row[1])


def _copy(database: str, table: str, columns: Sequence[str]) -> str:
    names = ", ".join(map(_quoted, columns))
    source = f"{_quoted(database)}.{_quoted(table)}"
    return f"INSERT INTO {_quoted(table)} ({names}) SELECT {names} FROM {source}"  # noqa: S608 - names of the server's


def _rows(connection: Connection[Any], sql: str, *args: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, args or None)
        return list(cursor.fetchall())


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"
