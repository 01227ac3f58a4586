"""The database interfaces that generated code and use cases call.

Pools, connections and transactions implement the interfaces.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from typing import Any, Final, Protocol


class Reader(Protocol):
    """Run one read-only query, which a replica can serve.

    A row is positional: an iteration over the row yields its values in the order of the columns.
    """

    async def fetch(self, query: str, /, *args: object) -> Sequence[Iterable[Any]]:
        """Return every row."""
        ...

    async def fetchrow(self, query: str, /, *args: object) -> Iterable[Any] | None:
        """Return the first row, or None if there are no rows."""
        ...

    async def fetchval(self, query: str, /, *args: object) -> Any:
        """Return the first value of the first row, or None if there are no rows."""
        ...


class Executor(Reader, Protocol):
    """Run one statement, which may read or write."""

    async def execute(self, query: str, /, *args: object) -> str:
        """Execute a statement and return the server's status tag, such as `UPDATE 3`."""
        ...


class Database(Executor, Protocol):
    """An executor that can open a transaction, for use cases that begin and end the transaction."""

    def transaction(
        self, *, isolation: str = "read_committed"
    ) -> AbstractAsyncContextManager[Executor]:
        """Enter a transaction.

        The transaction commits on normal exit and rolls back on an exception.
        """
        ...


# What a request wants to say in each transaction that it commits, as the transaction's last word.
before_commit: Final[ContextVar[Callable[[Executor], Awaitable[None]] | None]] = ContextVar(
    "before_commit", default=None
)
