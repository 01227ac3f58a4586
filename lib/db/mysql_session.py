"""Run the statements of an `Executor` on one MySQL connection."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Iterable, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from aiomysql import SSCursor
from pymysql.constants import CLIENT

from lib.db.mysql_tls import context_of
from lib.db.mysql_values import DECODERS, literal

SQL_MODE = (
    "STRICT_TRANS_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
    "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
)
_VERB = re.compile(r"(?:\s+|/\*.*?\*/|--[^\n]*\n|#[^\n]*\n|\()*([a-zA-Z]+)", re.DOTALL)
_CHUNK_BYTES = 512 * 1024


def connect_arguments(
    url: str, *, connect_seconds: float, statement_seconds: float
) -> dict[str, Any]:
    """Return the arguments of `aiomysql.connect` for a strict session in UTC with time limits.

    The names for `SET` differ between MariaDB and MySQL, so each statement is in a comment that
    only one of the two servers executes.

    Raises:
        ValueError: if the URL has unknown parameters; see `context_of`.
    """
    parts = urlsplit(url)
    milliseconds = int(statement_seconds * 1000)
    waits = max(1, round(statement_seconds))
    return {
        "host": parts.hostname or "127.0.0.1",
        "port": parts.port or 3306,
        "user": unquote(parts.username or "root"),
        "password": unquote(parts.password or ""),
        "db": parts.path.lstrip("/") or None,
        "ssl": context_of(url),
        "charset": "utf8mb4",
        "autocommit": True,
        "connect_timeout": connect_seconds,
        "conv": DECODERS,
        # An UPDATE counts the rows it finds, as on other servers, not those that it changes.
        "client_flag": CLIENT.FOUND_ROWS,
        "init_command": (
            f"SET SESSION time_zone = '+00:00', sql_mode = '{SQL_MODE}', "
            f"innodb_lock_wait_timeout = {waits}"
            f"/*M! , tx_isolation = 'READ-COMMITTED', max_statement_time = {statement_seconds} */"
            "/*!80000 , transaction_isolation = 'READ-COMMITTED',"
            f" max_execution_time = {milliseconds} */"
        ),
    }


async def fetch(connection: Any, query: str, args: tuple[object, ...]) -> list[Iterable[Any]]:
    """Return every row."""
    cursor = await connection.cursor()
    await cursor.execute(text_of(query, args))
    rows = await cursor.fetchall()
    await cursor.close()
    return rows if isinstance(rows, list) else list(rows)


async def fetchrow(connection: Any, query: str, args: tuple[object, ...]) -> Iterable[Any] | None:
    """Return the first row, or None if there are no rows."""
    rows = await fetch(connection, query, args)
    return rows[0] if rows else None


async def fetchval(connection: Any, query: str, args: tuple[object, ...]) -> Any:
    """Return the first value of the first row, or None if there are no rows."""
    row = await fetchrow(connection, query, args)
    return None if row is None else next(iter(row))


async def execute(connection: Any, query: str, args: tuple[object, ...]) -> str:
    """Execute a statement and return a status tag, such as `UPDATE 3`."""
    affected, _ = await _change(connection, query, args)
    verb = verb_of(query)
    return f"INSERT 0 {affected}" if verb in {"INSERT", "REPLACE"} else f"{verb} {affected}"


async def execute_lastid(connection: Any, query: str, args: tuple[object, ...]) -> int:
    """Execute a statement. Return the AUTO_INCREMENT ID of the first new row, or 0."""
    _, last = await _change(connection, query, args)
    return last


async def executemany(connection: Any, query: str, rows: tuple[Iterable[Sequence[object]]]) -> None:
    """Execute a statement once per set of arguments."""
    for args in rows[0]:
        await _change(connection, query, tuple(args))


async def insert_rows(connection: Any, head: str, rows: tuple[Iterable[Sequence[object]]]) -> str:
    """Insert rows in multi-row statements. `head` is the statement up to the first values."""
    count, chunk, size = 0, list[str](), 0
    for row in rows[0]:
        chunk.append(f"({', '.join(map(literal, row))})")
        size += len(chunk[-1])
        if size > _CHUNK_BYTES:
            count += len(chunk)
            await _change(connection, f"{head} {', '.join(chunk)}", None)
            chunk, size = [], 0
    if chunk:
        await _change(connection, f"{head} {', '.join(chunk)}", None)
    return f"COPY {count + len(chunk)}"


def insert_head(table: str, columns: Sequence[str] | None, schema: str | None) -> str:
    """Return `INSERT INTO t (a, b) VALUES` with quoted names."""
    target = f"{_quoted(schema)}.{_quoted(table)}" if schema else _quoted(table)
    names = f" ({', '.join(map(_quoted, columns))})" if columns else ""
    return f"INSERT INTO {target}{names} VALUES"


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


class Cursor:
    """Rows streamed from the server, without buffering in memory."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    async def fetch(self, n: int, /) -> Sequence[Iterable[Any]]:
        """Return the next `n` rows, or fewer rows at the end."""
        rows: Sequence[Iterable[Any]] = await self._cursor.fetchmany(n)
        return rows

    def close(self) -> Awaitable[None]:
        """Read the remaining rows, so that the connection can be reused."""
        closing: Awaitable[None] = self._cursor.close()
        return closing


async def open_cursor(connection: Any, query: str, args: tuple[object, ...]) -> Cursor:
    """Open an unbuffered cursor. The cursor blocks the connection until all rows are read."""
    cursor = await connection.cursor(SSCursor)
    await cursor.execute(text_of(query, args))
    return Cursor(cursor)


async def _change(connection: Any, query: str, args: tuple[object, ...] | None) -> tuple[int, int]:
    cursor = await connection.cursor()
    await cursor.execute(query if args is None else text_of(query, args))
    changed, last = cursor.rowcount, cursor.lastrowid
    await cursor.close()
    return max(changed, 0), int(last or 0)


def text_of(query: str, args: tuple[object, ...]) -> str:
    """Replace `%s` by literals. `%%` becomes `%` even without arguments."""
    return query % tuple(map(literal, args))


def verb_of(query: str) -> str:
    """Return the first word of a statement in upper case."""
    found = _VERB.match(query)
    return found[1].upper() if found else ""
