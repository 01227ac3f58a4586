"""Read the rows of one call in small steps, and stop when they exceed a size limit.

A generated function that groups rows reads all of them before it returns. The number of rows can
depend on the data, so rows are counted while they arrive.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from aiosqlc.mcp.forms import TooLargeError

STEP: Final = 10
"""The number of rows that are fetched at once."""
_TWO: Final = 2  # if one row is all, MySQL's connection has read the end of the result


class Reads:
    """An executor that stops reading when it has rows of more than `most` bytes, counted as text.

    `sent` is true if a query was sent, which means that its arguments were accepted. A fetch after
    the limit was exceeded raises `TooLargeError`.
    """

    def __init__(self, executor: Any, most: int) -> None:
        self._executor = executor
        self._most = most
        self._held = 0
        self.sent = False

    def release(self) -> None:
        """Reset the counted size to zero, because the rows counted so far have left memory."""
        self._held = 0

    async def cursor(self, query: str, /, *args: Any) -> _Cursor:
        """Open a cursor on the result of a query."""
        cursor = await self._executor.cursor(query, *args)
        self.sent = True
        return _Cursor(cursor, self)

    async def fetch(self, query: str, /, *args: Any) -> Sequence[Iterable[Any]]:
        """Return all rows."""
        cursor = await self.cursor(query, *args)
        found: list[Iterable[Any]] = []
        while rows := await cursor.fetch(STEP):
            found += rows
        return found

    async def fetchrow(self, query: str, /, *args: Any) -> Iterable[Any] | None:
        """Return the first row, or None if there are no rows."""
        rows = await (await self.cursor(query, *args)).fetch(_TWO)
        return rows[0] if rows else None

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        """Return the first value of the first row, or None if there are no rows."""
        row = await self.fetchrow(query, *args)
        return None if row is None else next(iter(row))

    async def execute(self, query: str, /, *args: Any) -> str:
        """Run a statement and return the server's status such as `UPDATE 3`."""
        status: str = await self._executor.execute(query, *args)
        return status

    async def step(self, cursor: Any, n: int) -> Sequence[Iterable[Any]]:
        """Return the next `n` rows. Raises `TooLargeError` if earlier rows exceed the limit."""
        if self._held > self._most:
            raise TooLargeError
        rows: Sequence[Iterable[Any]] = await cursor.fetch(n)
        self._held += sum(1 + sum(map(_size, row)) for row in rows)
        return rows


class _Cursor:
    """A cursor whose rows are counted."""

    def __init__(self, cursor: Any, reads: Reads) -> None:
        self._cursor = cursor
        self._reads = reads

    async def fetch(self, n: int, /) -> Sequence[Iterable[Any]]:
        """Return the next `n` rows, or fewer rows at the end of the result."""
        return await self._reads.step(self._cursor, n)


def _size(value: Any) -> int:
    """Return the approximate number of bytes of a value as text."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, list | tuple):
        return 1 + sum(map(_size, value))
    return len(str(value))
