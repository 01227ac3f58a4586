"""The Executor Protocol that is written beside generated code when no other is configured."""

from __future__ import annotations

EXECUTOR = '''\
"""What the generated functions ask of a connection, pool or transaction."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol


class Executor(Protocol):
    """Runs one statement; an asyncpg connection, pool or transaction fits as it is."""

    async def fetch(self, query: str, /, *args: Any) -> Sequence[Iterable[Any]]:
        """Return every row."""
        ...

    async def fetchrow(self, query: str, /, *args: Any) -> Iterable[Any] | None:
        """Return the first row, or None where there is none."""
        ...

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        """Return the first value of the first row, or None where there is no row."""
        ...

    async def execute(self, query: str, /, *args: Any) -> str:
        """Run a statement and return the server's status, such as `UPDATE 3`."""
        ...
'''
