"""Two helpers for those who use generated code without a platform of their own."""

from __future__ import annotations

_SOURCE = '''\
"""Transactions that are tried again, and an executor that reports every query."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from time import perf_counter
from typing import Any, TypeVar

from asyncpg import (  # type: ignore[import-untyped, unused-ignore]
    DeadlockDetectedError,
    SerializationError,
)

from {package} import QUERY_NAMES
{executor}

T = TypeVar("T")


async def in_transaction(
    pool: Any,
    work: Callable[[Any], Awaitable[T]],
    *,
    isolation: str = "read_committed",
    attempts: int = 3,
) -> T:
    """Run `work(connection)` in a transaction of an asyncpg pool and return its result.

    After a serialization failure or a deadlock the whole of it runs again, at most `attempts`
    times, with a short random pause between: `work` must not have effects outside the database.
    """
    for attempt in range(1, attempts + 1):
        try:
            async with (
                pool.acquire() as connection,
                connection.transaction(isolation=isolation),
            ):
                return await work(connection)
        except (SerializationError, DeadlockDetectedError):
            if attempt == attempts:
                raise
        await asyncio.sleep(random.uniform(0, 0.05 * attempt))
    raise ValueError("attempts must be at least 1")


Hook = Callable[[str, float, int | None, BaseException | None], None]
"""Called after every query: its name, seconds, number of rows (None: unknown), and error."""


class Observed:
    """An executor that reports every query to a hook; without one, queries cost nothing extra."""

    __slots__ = ("_db", "_hook", "_names")

    def __init__(
        self, db: Executor, hook: Hook, names: Mapping[str, str] = QUERY_NAMES
    ) -> None:
        self._db = db
        self._hook = hook
        self._names = names

    async def fetch(self, query: str, /, *args: Any) -> Sequence[Iterable[Any]]:
        """Return every row."""
        return await self._run(query, self._db.fetch(query, *args), len)

    async def fetchrow(self, query: str, /, *args: Any) -> Iterable[Any] | None:
        """Return the first row, or None where there is none."""
        return await self._run(query, self._db.fetchrow(query, *args), _one)

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        """Return the first value of the first row, or None where there is no row."""
        return await self._run(query, self._db.fetchval(query, *args), _one)

    async def execute(self, query: str, /, *args: Any) -> str:
        """Run a statement and return the server's status, such as `UPDATE 3`."""
        return await self._run(query, self._db.execute(query, *args), _counted)

    async def _run(self, query: str, call: Awaitable[T], rows: Callable[[T], int | None]) -> T:
        name = self._names.get(query, "other")
        started = perf_counter()
        try:
            result = await call
        except BaseException as error:
            self._hook(name, perf_counter() - started, None, error)
            raise
        self._hook(name, perf_counter() - started, rows(result), None)
        return result


def _one(result: object) -> int:
    return 0 if result is None else 1


def _counted(status: str) -> int | None:
    last = status.rpartition(" ")[2]
    return int(last) if last.isdigit() else None
'''


def print_helpers(package: str, executor: tuple[str, str]) -> str:
    """Return the source of `helpers.py`; `executor` is where the Protocol is imported from."""
    imported = f"from {executor[0]} import {executor[1]}"
    return _SOURCE.replace("{package}", package or ".").replace("{executor}", imported)
