"""Share the driver's query for a type among all connections of the tests to one server.

Otherwise each connection would send this query again, which takes longer than most statements. The
result is the same: a server assigns an OID once, and the clones of a template have its OIDs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from asyncpg import Connection


@contextmanager
def asked_once(port: int) -> Iterator[None]:
    """Let connections to the server at this port share the server's responses about types."""
    ask = Connection._introspect_types  # noqa: SLF001 - the driver has no other place for it
    known: dict[frozenset[int], Any] = {}

    async def once(connection: Any, oids: set[int], timeout: float | None) -> Any:  # noqa: ASYNC109 - the driver's
        if connection._addr[-1] != port:  # noqa: SLF001 - as above
            return await ask(connection, oids, timeout)
        wanted = frozenset(oids)
        if (answer := known.get(wanted)) is None:
            answer = await ask(connection, oids, timeout)
            # A composite is the one kind that a schema may change under its oid.
            if not any(row["attrtypoids"] for row in answer[0]):
                known[wanted] = answer
        return answer

    with mock.patch.object(Connection, "_introspect_types", once):
        yield
