"""The Protocols and values that are written beside generated code, as far as it uses them."""

from __future__ import annotations

from collections.abc import Iterable

from aiosqlc.parse.scanner import Dialect

_HEAD = '''\
"""What the generated functions ask of a connection, pool or transaction."""

'''

_EXECUTOR = '''\
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

_BATCH = '''\
class BatchExecutor(Protocol):
    """Runs one statement many times; an asyncpg connection or pool fits as it is."""

    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each set of arguments, all or none."""
        ...
'''

_COPY = '''\
class CopyExecutor(Protocol):
    """Copies rows into a table; an asyncpg connection or pool fits as it is."""

    async def copy_records_to_table(
        self,
        table_name: str,
        *,
        records: Iterable[Sequence[Any]],
        columns: Sequence[str] | None = None,
        schema_name: str | None = None,
    ) -> str:
        """Copy rows and return the server's status, such as `COPY 3`."""
        ...
'''

_STREAM = '''\
class Cursor(Protocol):
    """A cursor on the server."""

    async def fetch(self, n: int, /) -> Sequence[Iterable[Any]]:
        """Return the next `n` rows, fewer at the end."""
        ...


class StreamExecutor(Protocol):
    """Opens cursors; an asyncpg connection inside a transaction fits as it is."""

    def cursor(self, query: str, /, *args: Any) -> Awaitable[Cursor]:
        """Open a cursor on the rows of a query."""
        ...
'''

_LASTID = '''\
class LastIdExecutor(Protocol):
    """Runs an INSERT and tells the id it made."""

    async def execute_lastid(self, query: str, /, *args: Any) -> int:
        """Run a statement and return the AUTO_INCREMENT id of its first new row, 0 without one."""
        ...
'''

_UNSET = '''\
class Unset(Enum):
    """The type of `UNSET`: an argument that was not given, unlike one that is None."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
'''

_NOT_STR = '''\
T_co = TypeVar("T_co", covariant=True)


class SequenceNotStr(Protocol[T_co]):
    """A sequence, such as a list or a tuple, but no `str`: one text is not a list of letters."""

    def __contains__(self, value: object, /) -> bool: ...

    def __getitem__(self, index: int, /) -> T_co: ...

    def __iter__(self) -> Iterator[T_co]: ...

    def __len__(self) -> int: ...
'''

PARTS = {
    "Executor": _EXECUTOR,
    "BatchExecutor": _BATCH,
    "CopyExecutor": _COPY,
    "StreamExecutor": _STREAM,
    "LastIdExecutor": _LASTID,
    "Unset": _UNSET,
    "SequenceNotStr": _NOT_STR,
}


_FITS = (
    "an asyncpg connection, pool or transaction fits as it is",
    "an asyncpg connection or pool fits as it is",
    "an asyncpg connection inside a transaction fits as it is",
)


def print_executor(names: Iterable[str], engine: Dialect = Dialect.POSTGRESQL) -> str:
    """Return the source of `executor.py` with the named parts."""
    wanted = set(names)
    parts = [text for name, text in PARTS.items() if name in wanted]
    body = "\n\n".join(parts)
    for fits in _FITS if engine is Dialect.MYSQL else ():
        body = body.replace(fits, "`AiomysqlExecutor` in `adapter` makes a connection fit")
    abc = [name for name in ("Awaitable", "Iterable", "Iterator", "Sequence") if f"{name}[" in body]
    typing = [name for name in ("Any", "Final", "Protocol", "TypeVar") if name in body]
    imports = f"from collections.abc import {', '.join(abc)}\n" if abc else ""
    imports += "from enum import Enum\n" if "Unset" in wanted else ""
    gap = "\n\n\n" if body.startswith("class") else "\n\n"
    return f"{_HEAD}{imports}from typing import {', '.join(typing)}{gap}{body}"
