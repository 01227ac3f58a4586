"""The source of `helpers.py`: transactions with retries, and an executor that reports queries."""

from __future__ import annotations

import re

from aiosqlc.drivers.blocking import blocking
from aiosqlc.drivers.port import Driver

_HEAD = '''\
"""Transactions with retries, and an executor that reports every query."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import {contextlib}
from time import perf_counter
from typing import Any, Generic, Literal, Protocol, TypeVar{overload}

{driver}

from {package} import QUERY_NAMES
{executors}

T = TypeVar("T")
C = TypeVar("C")
C_co = TypeVar("C_co", covariant=True)
D_co = TypeVar("D_co", bound=Executor, covariant=True)

Isolation = Literal["serializable", "repeatable_read", "read_committed"]


'''
_OBSERVED = '''\
Hook = Callable[[str, float, int | None, BaseException | None], None]
"""Called after every query with its name, seconds, number of rows (None: unknown) and error.

A stream calls the hook once when the stream is opened, and after each chunk.
"""


class _Batch(Executor, BatchExecutor, Protocol):
    """The executor methods that `:batchexec` and other queries need."""


class _Copy(Executor, CopyExecutor, Protocol):
    """The executor methods that `:copyfrom` and other queries need."""


class _Stream(Executor, StreamExecutor, Protocol):
    """The executor methods that `:stream` and other queries need."""


class Observed(Generic[D_co]):
    """An executor that reports every query to a hook."""

    __slots__ = ("_db", "_hook", "_names")

    def __init__(
        self, db: D_co, hook: Hook, names: Mapping[str, str] = QUERY_NAMES
    ) -> None:
        self._db = db
        self._hook = hook
        self._names = names

    async def fetch(self, query: str, /, *args: Any) -> Sequence[Iterable[Any]]:
        """Return all rows."""
        return await self._run(query, self._db.fetch(query, *args), len)

    async def fetchrow(self, query: str, /, *args: Any) -> Iterable[Any] | None:
        """Return the first row, or None if there are no rows."""
        return await self._run(query, self._db.fetchrow(query, *args), _one)

    async def fetchval(self, query: str, /, *args: Any) -> Any:
        """Return the first value of the first row, or None if there are no rows."""
        return await self._run(query, self._db.fetchval(query, *args), _one)

    async def execute(self, query: str, /, *args: Any) -> str:
        """Run a statement and return the server's status such as `UPDATE 3`."""
        return await self._run(query, self._db.execute(query, *args), _counted)

{lastid}    async def executemany(
        self: "Observed[_Batch]", command: str, args: Iterable[Sequence[Any]]
    ) -> None:
        """Run a statement once for each set of arguments."""
        await self._run(command, self._db.executemany(command, args), _unknown)

    async def copy_records_to_table(
        self: "Observed[_Copy]",
        table_name: str,
        *,
        records: Iterable[Sequence[Any]],
        columns: Sequence[str] | None = None,
        schema_name: str | None = None,
    ) -> str:
        """Copy rows and return the server's status such as `COPY 3`."""
        target = f"{schema_name}.{table_name}" if schema_name else table_name
        copying = self._db.copy_records_to_table(
            table_name, records=records, columns=columns, schema_name=schema_name
        )
        return await self._run(f"COPY {target} ({', '.join(columns or ())})", copying, _counted)

    async def cursor(self: "Observed[_Stream]", query: str, /, *args: Any) -> Cursor:
        """Open a cursor on the result of a query."""
        cursor = await self._run(query, self._db.cursor(query, *args), _none_yet)
        return _ObservedCursor(cursor, self._hook, self._names.get(query, "other"))

    async def _run(self, query: str, call: Awaitable[T], rows: Callable[[T], int | None]) -> T:
        return await _timed(self._hook, self._names.get(query, "other"), call, rows)


class _ObservedCursor:
    """Reports each chunk to the hook."""

    __slots__ = ("_cursor", "_hook", "_name")

    def __init__(self, cursor: Cursor, hook: Hook, name: str) -> None:
        self._cursor = cursor
        self._hook = hook
        self._name = name

    async def fetch(self, n: int, /) -> Sequence[Iterable[Any]]:
        """Return the next `n` rows, or fewer rows at the end of the result."""
        return await _timed(self._hook, self._name, self._cursor.fetch(n), len)


async def _timed(
    hook: Hook, name: str, call: Awaitable[T], rows: Callable[[T], int | None]
) -> T:
    started = perf_counter()
    try:
        result = await call
    except BaseException as error:
        hook(name, perf_counter() - started, None, error)
        raise
    hook(name, perf_counter() - started, rows(result), None)
    return result


def _one(result: object) -> int:
    return 0 if result is None else 1


def _none_yet(_: object) -> int:
    return 0


def _unknown(_: object) -> None:
    return None


def _counted(status: str) -> int | None:
    last = status.rpartition(" ")[2]
    return int(last) if last.isdigit() else None
'''
_PIPELINE = '''\
class _Pipeline(Executor, PipelineExecutor, Protocol):
    """The executor methods that `:batchone`, `:batchmany` and other queries need."""


'''
_FETCHMANY = '''\
    async def fetchmany(
        self: "Observed[_Pipeline]", query: str, args: Iterable[Sequence[Any]]
    ) -> Sequence[Sequence[Iterable[Any]]]:
        """Return a list of rows for each set of arguments."""
        return await self._run(query, self._db.fetchmany(query, args), _all)

'''
_ALL = """\
def _all(results: Sequence[Sequence[Iterable[Any]]]) -> int:
    return sum(map(len, results))


"""
_LASTID = '''\
class _LastId(Executor, LastIdExecutor, Protocol):
    """The executor methods that `:execlastid` and other queries need."""


'''
_EXECUTE_LASTID = '''\
    async def execute_lastid(self: "Observed[_LastId]", query: str, /, *args: Any) -> int:
        """Run an INSERT and return the first new AUTO_INCREMENT id, or 0 if there is none."""
        return await self._run(query, self._db.execute_lastid(query, *args), _unknown)

'''
_CALL = re.compile(r"self\._(?:db|cursor)\.\w+\([^()]*\)")


def print_helpers(driver: Driver, package: str, local: str, executor: str) -> str:
    """Return the source of `helpers.py`.

    `local` is the package's own module of Protocols, and `executor` is the module of `Executor`.
    """
    names = {"Cursor", *protocols_of(driver)} | ({"Executor"} if executor == local else set())
    imported = f"from {local} import {', '.join(sorted(names))}"
    if executor != local:
        imported = "\n".join(sorted([imported, f"from {executor} import Executor"]))
    if driver.executor:
        adapter = local.removesuffix("executor") + "adapter"
        imported = f"from {adapter} import {driver.executor}\n{imported}"
    observed = _piped() if driver.pipelined else _OBSERVED
    if driver.makes_ids:
        observed = observed.replace("class Observed(", f"{_LASTID}class Observed(", 1)
    observed = observed.replace("{lastid}", _EXECUTE_LASTID if driver.makes_ids else "")
    text = _HEAD.replace("{contextlib}", driver.helpers.contextlib)
    text = text.replace("{overload}", driver.helpers.overload)
    text += driver.helpers.transaction + observed
    text = text.replace("{driver}", driver.helpers.imports.rstrip())
    if driver.synchronous:  # blocking calls are made while the time is measured
        text = _CALL.sub(r"lambda: \g<0>", text).replace("= await call\n", "= await call()\n")
        text = blocking(text.replace("call: Awaitable[T]", "call: Callable[[], Awaitable[T]]"))
    return text.replace("{package}", package or ".").replace("{executors}", imported)


def protocols_of(driver: Driver) -> set[str]:
    """Return the Protocols that the executor in `helpers.py` implements, except `Executor`."""
    found = {"BatchExecutor", "CopyExecutor", "StreamExecutor"}
    found |= {"PipelineExecutor"} if driver.pipelined else set()
    return found | ({"LastIdExecutor"} if driver.makes_ids else set())


def _piped() -> str:
    """Return the source of an executor that can run a batch in one round trip."""
    text = _OBSERVED.replace("class Observed(", f"{_PIPELINE}class Observed(", 1)
    text = text.replace("    async def copy_records", f"{_FETCHMANY}    async def copy_records", 1)
    return text.replace("def _none_yet(", f"{_ALL}def _none_yet(", 1)
