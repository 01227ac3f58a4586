"""The outcome of a call as data: a result, or a failure that names no value of the database."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call has no result. `code` is stable; `message` is for the assistant.

    `state` is the SQLSTATE and `constraint` the violated constraint, where there is one. What the
    server says is left out, because it may quote rows.
    """

    code: str
    message: str
    state: str = ""
    constraint: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """The `structuredContent` of a call, and its number of rows."""

    content: dict[str, Any]
    rows: int = 0


Outcome = Result | Failure


class Database(Protocol):
    """A pool of connections of one database, under the role of the tools."""

    def transaction(self, *, writes: bool) -> AbstractAsyncContextManager[Any]:
        """Lend a connection in a transaction: read-only unless it writes, limited in time.

        It commits when the context ends, and rolls back when that raises.
        """
        ...

    def failure_of(self, error: Exception) -> Failure | None:
        """Return a failure for the driver's or the server's error; None for any other."""
        ...

    async def excess(
        self, tables: tuple[tuple[str, str], ...], written: frozenset[str], /
    ) -> list[str]:
        """Return what the role may do beyond the tools.

        `tables` are schema and name of all tables, `written` the names of those that tools write.
        """
        ...

    async def close(self) -> None:
        """Close the connections."""
        ...
