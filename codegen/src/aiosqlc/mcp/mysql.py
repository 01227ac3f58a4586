"""The MySQL or MariaDB connections of the tools, one for each call."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import aiomysql
import pymysql
from pymysql.constants import CLIENT

from aiosqlc.mcp.outcome import Failure
from aiosqlc.servers.mysql.session import SQL_MODE
from aiosqlc.servers.mysql.tls import tls_arguments

_AT_ONCE: Final = 4  # connections
_WIDE: Final = frozenset({"ALL PRIVILEGES", "SUPER", "FILE", "CREATE USER", "PROCESS"})
_WRITES: Final = frozenset({"INSERT", "UPDATE", "DELETE"})
_CHANGES: Final = frozenset({"DROP", "ALTER", "CREATE", "TRIGGER", "REFERENCES"})
_QUOTED: Final = re.compile(r"([`\"])((?:(?!\1).|\1\1)*)\1")
_KNOWN: Final = {
    1205: ("timeout", "the query waited too long for a lock"),
    1213: ("conflict", "the transaction conflicted with another transaction: try again"),
    1792: ("refused", "a read-only tool cannot write"),
    1969: ("timeout", "the database stopped the query, because it exceeded the time limit"),
    3024: ("timeout", "the database stopped the query, because it exceeded the time limit"),
    1044: ("refused", "the database role of the tools lacks a required privilege"),
    1142: ("refused", "the database role of the tools lacks a required privilege"),
    1143: ("refused", "the database role of the tools lacks a required privilege"),
    1370: ("refused", "the database role of the tools lacks a required privilege"),
}
_FAILED: Final = ("query_failed", "the database reports an error")
_AWAY: Final = ("unavailable", "the database is not available")


def excess_of(grant: str, written: frozenset[str]) -> list[str]:
    """Return the privileges in a line of SHOW GRANTS that the tools do not need.

    The tools need the privileges to read, and to write to the tables in `written`.
    """
    names = [found[2] for found in _QUOTED.finditer(grant)]
    text = _QUOTED.sub("`", grant)  # a quoted name may contain a keyword
    privileges, _, rest = text.removeprefix("GRANT ").partition(" ON ")
    thing = rest.partition(" TO ")[0]
    is_written = thing == "`.`" and names[privileges.count("`") + 1] in written
    found = []
    for privilege in re.sub(r" \([^)]*\)", "", privileges).split(", "):
        first = privilege.partition(" ")[0]
        if privilege in _WIDE or first in _CHANGES or (first in _WRITES and not is_written):
            found.append(privilege)
    return [*found, *(["GRANT OPTION"] if rest.endswith("WITH GRANT OPTION") else [])]


async def opened(uri: str, seconds: int) -> MysqlConnections:
    """Return an object that opens connections to a database when tools need them.

    Raise `ValueError` if the connection string is malformed.
    """
    return MysqlConnections(uri, seconds)


class MysqlConnections:
    """The connections of one database role. Every statement ends after `timeout` seconds.

    A connection is closed after its call. If a result exceeds a limit, some rows stay unread, and
    the connection cannot be used for another call.
    """

    def __init__(self, uri: str, timeout: int) -> None:
        parts = urlsplit(uri)
        self._arguments: dict[str, Any] = {
            "host": parts.hostname or "127.0.0.1",
            "port": parts.port or 3306,
            "user": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "db": unquote(parts.path.lstrip("/")),
            **tls_arguments(parts.query),
        }
        self._timeout = timeout
        self._free = asyncio.Semaphore(_AT_ONCE)

    @asynccontextmanager
    async def transaction(self, *, writes: bool) -> AsyncIterator[Any]:
        """Open a connection with a transaction that is read-only unless the call writes."""
        async with self._connected() as connection:
            cursor = await connection.cursor()
            await cursor.execute(f"START TRANSACTION READ {'WRITE' if writes else 'ONLY'}")
            yield connection
            if writes:
                await connection.commit()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        async with self._free:
            connection = await aiomysql.connect(
                **self._arguments,
                charset="utf8mb4",
                client_flag=CLIENT.FOUND_ROWS,
                connect_timeout=self._timeout,
                init_command="SET time_zone = '+00:00'",
            )
            try:
                is_mariadb = "mariadb" in str(connection.get_server_info()).lower()
                limit = (
                    f"max_statement_time = {self._timeout}"
                    if is_mariadb
                    else f"max_execution_time = {self._timeout * 1000}"
                )
                cursor = await connection.cursor()
                await cursor.execute(
                    f"SET SESSION sql_mode = '{SQL_MODE}', {limit},"
                    f" innodb_lock_wait_timeout = {self._timeout},"
                    f" lock_wait_timeout = {self._timeout}"
                )
                yield connection
            finally:
                connection.close()  # the server rolls back the uncommitted transaction

    def failure_of(self, error: Exception) -> Failure | None:
        """Return a failure for an error of the driver or server, or None for other exceptions."""
        if isinstance(error, pymysql.MySQLError):
            number = error.args[0] if error.args and isinstance(error.args[0], int) else 0
            if number in _KNOWN:
                return Failure(*_KNOWN[number])
            if isinstance(error, pymysql.IntegrityError):
                return Failure("constraint_violated", "the database rejected the change")
            if isinstance(error, pymysql.DataError):
                return Failure("invalid_argument", "a value is not valid for its use in the query")
            away = (isinstance(error, pymysql.OperationalError) and number >= 2000) or number == 0
            return Failure(*(_AWAY if away else _FAILED))
        return Failure(*_AWAY) if isinstance(error, OSError) else None

    async def excess(
        self, _tables: tuple[tuple[str, str], ...], written: frozenset[str], /
    ) -> list[str]:
        """Return the privileges of the database role beyond those that the tools need.

        The tools write only to the tables in `written`.
        """
        async with self._connected() as connection:
            cursor = await connection.cursor()
            await cursor.execute("SHOW GRANTS")
            grants = [str(row[0]) for row in await cursor.fetchall()]
        found = [f"has {right}" for grant in grants for right in excess_of(grant, written)]
        return list(dict.fromkeys(found))

    async def close(self) -> None:
        """Do nothing: each call closes its own connection."""
