"""The executor that runs generated functions on an aiomysql connection."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from importlib import import_module
from typing import Any

_NOTHING = "SELECT NULL FROM DUAL WHERE FALSE"
_TIMESTAMP, _DATE, _DATETIME = 7, 10, 12  # type numbers of the MySQL protocol
_IN_TRANSACTION, _AUTOCOMMIT = 1, 2
_UNBUFFERED: Any = import_module("aiomysql").SSCursor


class AiomysqlExecutor:
    """Wraps an aiomysql connection, which the caller opens, commits and closes.

    Open it with `charset="utf8mb4"`, `client_flag=CLIENT.FOUND_ROWS` and a session in UTC. A date
    that is not valid, such as `0000-00-00`, raises a ValueError when it is read.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._no_dates: list[str] = []
        self._decoders = {
            _DATE: self._decoder(date.fromisoformat),
            _DATETIME: self._decoder(datetime.fromisoformat),
            _TIMESTAMP: self._decoder(_instant),
        }

    async def fetch(self, query: str, /, *args: Any) -> Sequence[Iterable[Any]]:
        """Return all rows."""
        cursor = await self._run(query, args)
        rows: Sequence[Iterable[Any]] = await cursor.fetchall()
        return rows

    async def fetchrow(self, query: str, /, *args: Any) -> Iterable[Any] | None:
        """Return the first row, or None if there are no rows."""
        rows = await self.fetch(query, *args)
        return rows[0] if rows else None

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        """Return the first value of the first row, or None if there are no rows."""
        row = await self.fetchrow(query, *args)
        return None if row is None else next(iter(row))

    async def execute(self, query: str, /, *args: Any) -> str:
        """Run a statement and return a status such as `UPDATE 3`."""
        cursor = await self._run(query, args)
        return f"{query.split(None, 1)[0].upper()} {max(cursor.rowcount, 0)}"

    async def execute_lastid(self, query: str, /, *args: Any) -> int:
        """Run an INSERT and return the first new AUTO_INCREMENT id, or 0 if there is none."""
        cursor = await self._run(query, args)
        return int(cursor.lastrowid or 0)

    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each set of arguments. An error undoes all runs."""
        cursor = await self._cursor()
        texts = [command % tuple(map(self._literal, values)) for values in args]
        await self._all_or_none(cursor, texts)

    async def copy_records_to_table(
        self,
        table_name: str,
        *,
        records: Iterable[Sequence[Any]],
        columns: Sequence[str] | None = None,
        schema_name: str | None = None,
    ) -> str:
        """Insert rows in batches; an error undoes all batches. Return, for example, `COPY 3`."""
        cursor = await self._cursor()
        target = ".".join(_quoted(name) for name in (schema_name, table_name) if name)
        names = ", ".join(map(_quoted, columns or ()))
        head = f"INSERT INTO {target} {f'({names}) ' if names else ''}VALUES "
        rows = [f"({', '.join(map(self._literal, record))})" for record in records]
        parts = [rows[start : start + 1000] for start in range(0, len(rows), 1000)]
        await self._all_or_none(cursor, [head + ", ".join(part) for part in parts])
        return f"COPY {len(rows)}"

    async def cursor(self, query: str, /, *args: Any) -> "MysqlCursor":
        """Run an unbuffered query. Read all rows before you run another statement."""
        cursor = await self._run(query, args, _UNBUFFERED)
        return MysqlCursor(cursor, self._check_dates)

    async def _all_or_none(self, cursor: Any, texts: Sequence[str]) -> None:
        """Run statements. If a statement fails, undo the statements before it.

        In a caller's transaction, the statements run after a savepoint. Without a transaction, they
        run in a new transaction, which is committed.
        """
        # The response says whether a transaction has begun.
        await cursor.execute("SAVEPOINT aiosqlc_batch")
        status = cursor.connection.server_status
        begun = status & _IN_TRANSACTION or not status & _AUTOCOMMIT
        if not begun:
            await cursor.execute("BEGIN")
        try:
            for text in texts:
                await cursor.execute(text)
            await cursor.execute("RELEASE SAVEPOINT aiosqlc_batch" if begun else "COMMIT")
        except BaseException:
            with suppress(Exception):  # a deadlock or a lost connection has undone all
                await cursor.execute("ROLLBACK TO aiosqlc_batch" if begun else "ROLLBACK")
            raise

    async def _run(self, query: str, args: Sequence[Any], *kind: Any) -> Any:
        """Run a query. The connection uses the date decoders of this class during the query."""
        cursor = await self._cursor(*kind)
        text = query % tuple(map(self._literal, args))
        connection: Any = cursor.connection
        decoders: dict[int, Any] = connection.decoders
        connection.decoders = decoders | self._decoders
        try:
            await cursor.execute(text)
        finally:
            connection.decoders = decoders
        self._check_dates()
        return cursor

    async def _cursor(self, *kind: Any) -> Any:
        self._connection = await self._lent()
        return await self._connection.cursor(*kind)

    async def _lent(self) -> Any:
        return self._connection

    def _check_dates(self) -> None:
        if self._no_dates:
            text = self._no_dates[0]
            self._no_dates.clear()
            raise ValueError(f"{text!r} is not a valid date")

    def _decoder(self, decode: Callable[[str], date]) -> Callable[[str], date | None]:
        """Return a decoder that collects invalid dates. An exception would break the connection."""

        def read(text: str) -> date | None:
            try:
                return decode(text)
            except ValueError:
                self._no_dates.append(text)
                return None

        return read

    def _literal(self, value: Any) -> str:
        """Return a value as an SQL literal. A list becomes the content of `IN (...)`.

        An empty list becomes a query without rows. A list of lists contains the columns of rows.
        """
        if _is_one(value, list, tuple):
            if any(_is_one(column, list) for column in value):
                rows = [
                    f"({', '.join(map(self._literal, row))})" for row in zip(*value, strict=True)
                ]
                return ", ".join(rows) or _NOTHING.replace("NULL", ", ".join(["NULL"] * len(value)))
            return ", ".join(map(self._literal, value)) or _NOTHING
        if _is_one(value, bytes, bytearray, memoryview):
            return f"x'{bytes(value).hex()}'"
        if isinstance(value, datetime) and value.tzinfo is not None:
            value = value.astimezone(UTC).replace(tzinfo=None)
        literal: str = self._connection.escape(value)
        return literal


class MysqlCursor:
    """The rows of one unbuffered query."""

    def __init__(self, cursor: Any, check: Callable[[], None]) -> None:
        self._cursor = cursor
        self._check = check

    async def fetch(self, n: int, /) -> Sequence[Iterable[Any]]:
        """Return the next `n` rows, or fewer rows at the end of the result."""
        rows: Sequence[Iterable[Any]] = await self._cursor.fetchmany(n)
        self._check()
        return rows


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def _is_one(value: Any, *kinds: type[Any]) -> bool:
    """Return `isinstance(value, kinds)`, but hide the test, so that type checkers do not narrow."""
    return isinstance(value, kinds)


def _instant(text: str) -> datetime:
    """Parse a TIMESTAMP as UTC, because the session runs in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
