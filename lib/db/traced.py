"""A wrapper around a database that makes a span per statement, if tracing is on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any

from lib import trace
from lib.db.engine import engine_of
from lib.db.executor import Database, Executor
from lib.db.query_names import found_by_text


def traced(db: Database, names: Mapping[str, str]) -> Database:
    """Wrap `db` so that each statement makes a span; return `db` itself if tracing is off.

    `names` has a name for each SQL text, as in `QUERY_NAMES` of a generated package. The SQL text
    itself is not exported.
    """
    return _TracedDatabase(db, names) if trace.TRACING.is_on else db


class _Traced:
    """The four methods of an `Executor`, each in a span."""

    def __init__(self, inner: Executor, names: Mapping[str, str]) -> None:
        self._inner = inner
        self._names = names
        self.engine = engine_of(inner)

    async def fetch(self, query: str, /, *args: object) -> Sequence[Iterable[Any]]:
        """Return every row."""
        with self._span(query):
            return await self._inner.fetch(query, *args)

    async def fetchrow(self, query: str, /, *args: object) -> Iterable[Any] | None:
        """Return the first row, or None if there are no rows."""
        with self._span(query):
            return await self._inner.fetchrow(query, *args)

    async def fetchval(self, query: str, /, *args: object) -> Any:
        """Return the first value of the first row, or None if there are no rows."""
        with self._span(query):
            return await self._inner.fetchval(query, *args)

    async def execute(self, query: str, /, *args: object) -> str:
        """Run a statement and return the server's status tag."""
        with self._span(query):
            return await self._inner.execute(query, *args)

    def _span(self, query: str) -> AbstractContextManager[None]:
        return trace.span(found_by_text(self._names, query) or "query", trace.Kind.CLIENT)


class _TracedDatabase(_Traced):
    """A `Database` with a span for each transaction and each statement."""

    def __init__(self, inner: Database, names: Mapping[str, str]) -> None:
        super().__init__(inner, names)
        self._database = inner

    @asynccontextmanager
    async def transaction(self, *, isolation: str = "read_committed") -> AsyncIterator[Executor]:
        """Enter a transaction.

        The transaction commits on normal exit and rolls back on an exception.
        """
        with trace.span("transaction", trace.Kind.CLIENT):
            async with self._database.transaction(isolation=isolation) as tx:
                yield _Traced(tx, self._names)
