# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""What type checkers know: an ignored line is one that they must refuse."""

from collections.abc import Awaitable, Iterable, Sequence
from typing import Any

from reads_take_a_reader import queries
from reads_take_a_reader.executor import Cursor, Executor, StreamExecutor


class Replica:
    """All that a connection to a replica has."""

    async def fetch(self, query: str, /, *args: Any) -> Sequence[Iterable[Any]]:
        raise NotImplementedError

    async def fetchrow(self, query: str, /, *args: Any) -> Iterable[Any] | None:
        raise NotImplementedError

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        raise NotImplementedError

    def cursor(self, query: str, /, *args: Any) -> Awaitable[Cursor]:
        raise NotImplementedError


async def accepted(
    replica: Replica, primary: Executor, streaming: StreamExecutor
) -> None:
    await queries.get_a(replica, id=1)
    await queries.list_a(replica, name="a", sort="id")
    await queries.names_of(replica, [1])
    queries.each_a(replica)
    await queries.get_a(primary, id=1)
    await queries.list_a(primary)
    await queries.names_of(primary, [1])
    await queries.add_a(primary, id=1, name="a")
    await queries.lock_a(primary, id=1)
    queries.each_a(streaming)
    queries.take_a(streaming)


async def refused(replica: Replica) -> None:
    await queries.add_a(replica, id=1, name="a")  # type: ignore[arg-type]
    await queries.lock_a(replica, id=1)  # type: ignore[arg-type]
    queries.take_a(replica)  # type: ignore[arg-type]
