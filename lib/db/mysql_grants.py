"""Privileges of a service's role on MySQL and MariaDB.

The owner of a database cannot see the privileges of other roles. So with `only`, all privileges on
each table are revoked except those in `given`, whether the role has them or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import pymysql
from pymysql.cursors import Cursor

from lib.db.mysql_session import connect_arguments

_NO_SUCH_USER: Final = (1133, 1410)  # the second if our account may not create users
_NOTHING_TO_TAKE: Final = (1141, 1147, 1403)  # from a database, a table, a routine
_GRANT: Final = re.compile(r"GRANT (.+) ON `?([^`\s.]+)`? TO .+")
_ON_TABLES: Final = (
    "SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "REFERENCES", "INDEX", "ALTER",
    "CREATE VIEW", "SHOW VIEW", "TRIGGER", "GRANT OPTION",
)  # fmt: skip
_ON_ROUTINES: Final = "EXECUTE, ALTER ROUTINE, GRANT OPTION"


def apply(url: str, given: list[str], role: str, *, only: bool) -> bool:
    """Run the GRANT statements in `given`; return False if the role is missing.

    With `only`, revoke other privileges.

    The role has the privileges in `given` at all times. Raises the exceptions of the driver. With
    `only`, raises ValueError for a GRANT that is not on a single table.
    """
    kept = _kept(given) if only else {}
    arguments = connect_arguments(url, connect_seconds=10, statement_seconds=30)
    arguments["database"] = arguments.pop("db")  # its name in this driver
    with pymysql.connect(**arguments) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT version()")
        is_mariadb = "mariadb" in str(cursor.fetchone()).lower()
        if is_mariadb:
            # Without this mode, a GRANT to an unknown user creates the user without a password.
            cursor.execute("SET sql_mode = concat(@@sql_mode, ',NO_AUTO_CREATE_USER')")
        try:
            for statement in given:
                cursor.execute(statement)
        except pymysql.err.OperationalError as error:
            if error.args[0] in _NO_SUCH_USER:
                return False
            raise
        if only:
            every = (*_ON_TABLES, "DELETE HISTORY") if is_mariadb else _ON_TABLES
            for statement in _rest(cursor, kept, every):
                try:
                    cursor.execute(f"REVOKE {statement} FROM {_quoted(role)}")
                except pymysql.err.MySQLError as error:
                    if error.args[0] not in _NOTHING_TO_TAKE:
                        raise
    return True


def _kept(given: Iterable[str]) -> dict[str, set[str]]:
    """Return the granted privileges per table; a column privilege counts as one on its table."""
    found: dict[str, set[str]] = {}
    for line in given:
        match = _GRANT.fullmatch(line)
        if match is None:  # it would be taken back
            raise ValueError(f"the statement does not grant privileges on a single table: {line}")
        names = re.sub(r"\([^)]*\)", "", match[1]).split(",")
        found.setdefault(match[2].lower(), set()).update(name.strip() for name in names)
    return found


def _rest(cursor: Cursor, kept: Mapping[str, set[str]], every: Iterable[str]) -> Iterator[str]:
    cursor.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = database()"
    )
    for (table,) in cursor.fetchall():
        rest = [name for name in every if name not in kept.get(table.lower(), ())]
        yield f"{', '.join(rest)} ON {_quoted(table)}"
    cursor.execute(
        "SELECT routine_type, routine_name FROM information_schema.routines"
        " WHERE routine_schema = database()"
    )
    for kind, routine in cursor.fetchall():
        yield f"{_ON_ROUTINES} ON {kind} {_quoted(routine)}"
    cursor.execute("SELECT database()")
    (database,) = cursor.fetchone() or ("",)
    for what in ("ALL PRIVILEGES", "GRANT OPTION"):
        yield f"{what} ON {_quoted(database)}.*"


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"
