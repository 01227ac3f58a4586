"""The executor that runs generated functions on a connection of asyncmy."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

_NOTHING = "SELECT NULL FROM DUAL WHERE FALSE"
_TIMESTAMP = 7  # type numbers of the MySQL protocol
_TEMPORAL = frozenset({_TIMESTAMP, 10, 12})
_PLAIN = frozenset({str, float})
_UNBUFFERED: Any = import_module("asyncmy.cursors").SSCursor

Row = tuple[Any, ...]


class AsyncmyExecutor:
    """Wraps an asyncmy connection, which the caller opens, commits and closes.

    Open it with `charset="utf8mb4"`, `client_flag=CLIENT.FOUND_ROWS` and a session in UTC. A date
    that is not valid, such as `0000-00-00`, raises a ValueError when it is read.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def fetch(self, query: str, /, *args: Any) -> Sequence[Iterable[Any]]:
        """Return all rows."""
        cursor = await self._run(query, args)
        return _decoded(await cursor.fetchall(), cursor.description)

    async def fetchrow(self, query: str, /, *args: Any) -> Iterable[Any] | None:
        """Return the first row, or None if there are no rows."""
        cursor = await self._run(query, args)
        row = await cursor.fetchone()
        return None if row is None else _decoded((row,), cursor.description)[0]

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
        return MysqlCursor(await self._run(query, args, _UNBUFFERED))

    async def _all_or_none(self, cursor: Any, texts: Sequence[str]) -> None:
        """Run statements. If a statement fails, undo the statements before it.

        In a caller's transaction, the statements run after a savepoint. Without a transaction, they
        run in a new transaction, which is committed.
        """
        await cursor.execute("SELECT @@autocommit")  # refresh the driver's view of the transaction
        (autocommit,) = await cursor.fetchone()
        begun = not autocommit or self._connection.get_transaction_status()
        await cursor.execute("SAVEPOINT aiosqlc_batch" if begun else "BEGIN")
        try:
            for text in texts:
                await cursor.execute(text)
            await cursor.execute("RELEASE SAVEPOINT aiosqlc_batch" if begun else "COMMIT")
        except BaseException:
            with suppress(Exception):  # a deadlock or a lost connection has undone all
                await cursor.execute("ROLLBACK TO aiosqlc_batch" if begun else "ROLLBACK")
            raise

    async def _run(self, query: str, args: Sequence[Any], *kind: Any) -> Any:
        self._connection = await self._lent()
        cursor = self._connection.cursor(*kind)
        await cursor.execute(query % tuple(map(self._literal, args)))
        return cursor

    async def _cursor(self) -> Any:
        self._connection = await self._lent()
        return self._connection.cursor()

    async def _lent(self) -> Any:
        return self._connection

    def _literal(self, value: Any) -> str:
        """Return a value as an SQL literal. A list becomes the content of `IN (...)`.

        An empty list becomes a query without rows. A list of lists contains the columns of rows.
        """
        if type(value) is int:
            return str(value)
        if type(value) not in _PLAIN:
            if _is_one(value, list, tuple):
                if any(_is_one(column, list) for column in value):
                    rows = [
                        f"({', '.join(map(self._literal, r))})" for r in zip(*value, strict=True)
                    ]
                    nulls = ", ".join(["NULL"] * len(value))
                    return ", ".join(rows) or _NOTHING.replace("NULL", nulls)
                return ", ".join(map(self._literal, value)) or _NOTHING
            if _is_one(value, bytes, bytearray, memoryview):
                return f"x'{bytes(value).hex()}'"
            if isinstance(value, datetime) and value.tzinfo is not None:
                value = value.astimezone(UTC).replace(tzinfo=None)
        literal: str = self._connection.literal(value)
        return literal


class MysqlCursor:
    """The rows of one unbuffered query."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    async def fetch(self, n: int, /) -> Sequence[Iterable[Any]]:
        """Return the next `n` rows, or fewer rows at the end of the result."""
        return _decoded(await self._cursor.fetchmany(n), self._cursor.description)


def _decoded(rows: Sequence[Row], description: Sequence[Row] | None) -> Sequence[Iterable[Any]]:
    """Convert each TIMESTAMP to an aware datetime in UTC. Raise ValueError for invalid dates."""
    for at, column in enumerate(description or ()):
        if column[1] not in _TEMPORAL:
            continue
        if str in {type(row[at]) for row in rows}:
            text = next(row[at] for row in rows if isinstance(row[at], str))
            raise ValueError(f"{text!r} is not a valid date")
        if column[1] == _TIMESTAMP:
            rows = [(*row[:at], _instant(row[at]), *row[at + 1 :]) for row in rows]
    return rows


def _instant(value: datetime | None) -> datetime | None:
    return None if value is None else value.replace(tzinfo=UTC)


def _quoted(name: str) -> str:
    return f"`{name.replace('`', '``')}`"


def _is_one(value: Any, *kinds: type[Any]) -> bool:
    """Return `isinstance(value, kinds)`, but hide the test, so that type checkers do not narrow."""
    return isinstance(value, kinds)
