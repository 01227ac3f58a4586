"""Write `executor.py` with the Protocols and values that a generated package uses."""

from __future__ import annotations

from collections.abc import Iterable

from aiosqlc.drivers import Driver
from aiosqlc.drivers.blocking import blocking

_HEAD = '''\
"""The methods that generated functions call on a connection, pool or transaction."""

'''

_EXECUTOR = '''\
class Executor(Protocol):
    """Runs one statement.{fits}"""

    async def fetch(self, query: str, /, *args: Any) -> Sequence[Iterable[Any]]:
        """Return all rows."""
        ...

    async def fetchrow(self, query: str, /, *args: Any) -> Iterable[Any] | None:
        """Return the first row, or None if there are no rows."""
        ...

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        """Return the first value of the first row, or None if there are no rows."""
        ...

    async def execute(self, query: str, /, *args: Any) -> str:
        """Run a statement and return the server's status such as `UPDATE 3`."""
        ...
'''

_READER = '''\
class Reader(Protocol):
    """Runs one read-only query. A connection to a replica can implement this Protocol alone."""

    async def fetch(self, query: str, /, *args: Any) -> Sequence[Iterable[Any]]:
        """Return all rows."""
        ...

    async def fetchrow(self, query: str, /, *args: Any) -> Iterable[Any] | None:
        """Return the first row, or None if there are no rows."""
        ...

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        """Return the first value of the first row, or None if there are no rows."""
        ...
'''

_EXECUTE = '''
    async def execute(self, query: str, /, *args: Any) -> str:
        """Run a statement and return the server's status such as `UPDATE 3`."""
        ...
'''

_WRITER = f'''\
class Executor(Reader, Protocol):
    """Runs one statement.{{fits}}"""
{_EXECUTE}'''

_BATCH = '''\
class BatchExecutor(Protocol):
    """Runs one statement many times.{fits}"""

    async def executemany(self, command: str, args: Iterable[Sequence[Any]]) -> None:
        """Run a statement once for each set of arguments. An error undoes all runs."""
        ...
'''

_COPY = '''\
class CopyExecutor(Protocol):
    """Copies rows into a table.{fits}"""

    async def copy_records_to_table(
        self,
        table_name: str,
        *,
        records: Iterable[Sequence[Any]],
        columns: Sequence[str] | None = None,
        schema_name: str | None = None,
    ) -> str:
        """Copy rows and return the server's status such as `COPY 3`."""
        ...
'''

_STREAM = '''\
class Cursor(Protocol):
    """A cursor on the database server."""

    async def fetch(self, n: int, /) -> Sequence[Iterable[Any]]:
        """Return the next `n` rows, or fewer rows at the end of the result."""
        ...


class StreamExecutor(Protocol):
    """Opens cursors.{fits}"""

    def cursor(self, query: str, /, *args: Any) -> Awaitable[Cursor]:
        """Open a cursor on the result of a query."""
        ...
'''

_STREAM_READER = _STREAM.replace("StreamExecutor", "StreamReader")
_STREAM_WRITER = f'''\
class StreamExecutor(StreamReader, Protocol):
    """Opens cursors on statements that write and return rows, inside a transaction."""
{_EXECUTE}'''

_LASTID = '''\
class LastIdExecutor(Protocol):
    """Runs an INSERT and returns the id of the new row."""

    async def execute_lastid(self, query: str, /, *args: Any) -> int:
        """Run an INSERT and return the first new AUTO_INCREMENT id, or 0 if there is none."""
        ...
'''

_PIPELINE = '''\
class PipelineExecutor(Protocol):
    """Runs one statement many times in one round trip and returns the rows of each run.{fits}"""

    async def fetchmany(
        self, query: str, args: Iterable[Sequence[Any]]
    ) -> Sequence[Sequence[Iterable[Any]]]:
        """Return a list of rows for each set of arguments, in the order of the arguments."""
        ...
'''

_UNSET = '''\
class Unset(Enum):
    """The type of `UNSET`, which marks an omitted argument. None is a value."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
'''

_NOT_STR = '''\
T_co = TypeVar("T_co", covariant=True)


class SequenceNotStr(Protocol[T_co]):
    """A sequence such as a list or a tuple. Type checkers reject a `str` here."""

    def __contains__(self, value: object, /) -> bool: ...

    def __getitem__(self, index: int, /) -> T_co: ...

    def __iter__(self) -> Iterator[T_co]: ...

    def __len__(self) -> int: ...
'''

_SPLIT_TOTAL = '''\
def split_total(rows: Sequence[Iterable[Any]]) -> tuple[list[tuple[Any, ...]], int]:
    """Split the last column from the rows of a page: it is the total of all pages, in each row."""
    values = [tuple(row) for row in rows]
    return [row[:-1] for row in values], values[0][-1] if values else 0
'''

PARTS = {
    "Executor": _EXECUTOR,
    "BatchExecutor": _BATCH,
    "CopyExecutor": _COPY,
    "StreamExecutor": _STREAM,
    "LastIdExecutor": _LASTID,
    "PipelineExecutor": _PIPELINE,
    "Unset": _UNSET,
    "SequenceNotStr": _NOT_STR,
    "split_total": _SPLIT_TOTAL,
}

# The part of each Protocol that only reads, which a replica supports, and the part that writes.
_SPLIT = {
    "Executor": {"Reader": _READER, "Executor": _WRITER},
    "StreamExecutor": {"StreamReader": _STREAM_READER, "StreamExecutor": _STREAM_WRITER},
    "Reader": {"Reader": _READER},
    "StreamReader": {"StreamReader": _STREAM_READER},
}


def print_executor(names: Iterable[str], driver: Driver, *, readers: bool = False) -> str:
    """Return the source of `executor.py` with the Protocols and values that `names` lists."""
    wanted = set(names)
    found: dict[str, str] = {}
    for name in (*PARTS, "Reader", "StreamReader"):
        if name in wanted:
            found |= _SPLIT[name] if readers and name in _SPLIT else {name: PARTS[name]}
    body = "\n\n".join(_fitting(name, text, driver) for name, text in found.items())
    if driver.synchronous:
        body = blocking(body)
    abc = [name for name in ("Awaitable", "Iterable", "Iterator", "Sequence") if f"{name}[" in body]
    typing = [name for name in ("Any", "Final", "Protocol", "TypeVar") if name in body]
    imports = f"from collections.abc import {', '.join(abc)}\n" if abc else ""
    imports += "from enum import Enum\n" if "Unset" in wanted else ""
    gap = "\n\n\n" if body.startswith(("class", "def")) else "\n\n"
    return f"{_HEAD}{imports}from typing import {', '.join(typing)}{gap}{body}"


def _fitting(name: str, text: str, driver: Driver) -> str:
    fits = driver.fits.get(name)
    return text.replace("{fits}", f" {fits}." if fits else "")
