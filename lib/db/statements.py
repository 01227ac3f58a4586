"""The four methods of an `Executor`, shared by all drivers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar


class Statements:
    """Each method calls the driver's function of the same name through `_run`."""

    __slots__ = ()
    _driver: ClassVar[Any]

    async def _run(self, method: Any, query: str, args: tuple[Any, ...]) -> Any:
        raise NotImplementedError  # each driver has its own

    async def fetch(self, query: str, /, *args: object) -> list[Iterable[Any]]:
        """Return every row."""
        rows: list[Iterable[Any]] = await self._run(self._driver.fetch, query, args)
        return rows

    async def fetchrow(self, query: str, /, *args: object) -> Iterable[Any] | None:
        """Return the first row, or None if there are no rows."""
        row: Iterable[Any] | None = await self._run(self._driver.fetchrow, query, args)
        return row

    async def fetchval(self, query: str, /, *args: object) -> Any:
        """Return the first value of the first row, or None if there are no rows."""
        return await self._run(self._driver.fetchval, query, args)

    async def execute(self, query: str, /, *args: object) -> str:
        """Execute a statement and return a status tag, such as `UPDATE 3`."""
        tag: str = await self._run(self._driver.execute, query, args)
        return tag
