"""The outcome of a call as data: a result, or a failure that reveals no values of the database."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from msgspec import Struct


class Failure(Struct, frozen=True):
    """A call without a result, and the reason.

    `code` is stable; `message` is shown to the assistant.

    `state` is the SQLSTATE, and `constraint` is the violated constraint if there is one. The
    server's message is omitted, because it may quote rows.
    """

    code: str
    message: str
    state: str = ""
    constraint: str = ""


class Result(Struct, frozen=True):
    """The `structuredContent` of a call's result, and the number of rows in it."""

    content: dict[str, Any]
    rows: int = 0


Outcome = Result | Failure


class Database(Protocol):
    """A pool of connections to one database, with the database role of the tools."""

    def transaction(self, *, writes: bool) -> AbstractAsyncContextManager[Any]:
        """Lend a connection inside a transaction.

        The transaction is read-only unless the call writes.

        The transaction commits when the context ends, or rolls back if the block raises.
        """
        ...

    def failure_of(self, error: Exception) -> Failure | None:
        """Return a failure for an error of the driver or server, or None for other exceptions."""
        ...

    async def excess(
        self, tables: tuple[tuple[str, str], ...], written: frozenset[str], /
    ) -> list[str]:
        """Return the privileges of the database role beyond those that the tools need.

        `tables` are the schemas and names of all tables. `written` are the names of the tables that
        tools write.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
