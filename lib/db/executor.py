"""What generated code and use cases ask for: a pool, a connection or a transaction all fit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from typing import Any, Final, Protocol


class Reader(Protocol):
    """Runs one query that only reads: all that a replica can do.

    Rows are positional: iterating one yields its values in order.
    """

    async def fetch(self, query: str, /, *args: object) -> Sequence[Iterable[Any]]:
        """Return every row."""
        ...

    async def fetchrow(self, query: str, /, *args: object) -> Iterable[Any] | None:
        """Return the first row, or None where there is none."""
        ...

    async def fetchval(self, query: str, /, *args: object) -> Any:
        """Return the first value of the first row, or None where there is no row."""
        ...


class Executor(Reader, Protocol):
    """Runs one statement of any kind."""

    async def execute(self, query: str, /, *args: object) -> str:
        """Run a statement and return the server's status tag, such as `UPDATE 3`."""
        ...


class Database(Executor, Protocol):
    """An executor that can open a transaction: what a use case takes when it owns the boundary."""

    def transaction(
        self, *, isolation: str = "read_committed"
    ) -> AbstractAsyncContextManager[Executor]:
        """Enter a transaction; leaving normally commits, leaving by an exception rolls back."""
        ...


# What a request wants to say in each transaction that it commits, as the transaction's last word.
before_commit: Final[ContextVar[Callable[[Executor], Awaitable[None]] | None]] = ContextVar(
    "before_commit", default=None
)
