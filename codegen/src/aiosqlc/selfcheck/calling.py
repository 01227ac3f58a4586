"""Call generated functions on the rows of a database, and check the results of the functions."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import sys
import traceback
from collections.abc import Callable, Sequence
from inspect import isasyncgen
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any

from msgspec import Struct, field

from aiosqlc.analysis.json_shapes import is_declared
from aiosqlc.contract.alike import rows_in
from aiosqlc.contract.conforms import hints_of, unlike
from aiosqlc.contract.values import Values
from aiosqlc.ir import TypedQuery
from aiosqlc.parse.keyset import CURSOR, SIZE
from aiosqlc.plan.clashes import functions_of
from aiosqlc.plan.documents import MODULE as DOCUMENTS
from aiosqlc.plan.naming import argument
from aiosqlc.selfcheck.drivers import Opened, has_no_value, opened
from aiosqlc.selfcheck.importable import importing_from

_CALLS = 20  # of each function
_LONGEST = 10.0  # longest time of one call, in seconds
# Errors for a document that does not fit the user's class, because the test rows are random.
_DOCUMENT = ("ValidationError: Expected", "DecodeError: ")
_STORED = "StoredJsonError"
_NEEDED = " is needed beside "  # the error text for arguments that must be passed together
_REMEMBERED = 5  # rows of a result or table whose values are passed again


class Package(Struct, frozen=True):
    """A generated package: its name, its parent folder, and the folders for its imports.

    `driver` is the driver that its functions use.
    """

    name: str
    folder: Path
    paths: tuple[Path, ...] = ()
    driver: str = "asyncpg"


class Called(Struct):
    """The results by query: the guarantee that the function broke, or the reason why a call failed.

    `calls` counts the calls that returned. `unread` maps queries with results that Python cannot
    represent to the reason.
    """

    calls: int = 0
    answered: set[str] = field(default_factory=set)
    broken: dict[str, str] = field(default_factory=dict)
    unanswered: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)


class _Function(Struct, frozen=True):
    """A function, or a method with the class that holds its connection."""

    call: Callable[..., Any]
    receiver: Callable[[Any], Any]


def _found(module: ModuleType, name: str) -> _Function:
    call = getattr(module, name, None)
    if call is not None:
        return _Function(call, lambda connection: connection)
    for kind in vars(module).values():
        found = vars(kind).get(name) if isinstance(kind, type) else None
        # A row class may have a field with the name of a query.
        if inspect.isfunction(found) and not getattr(kind, "_is_protocol", 0):
            return _Function(found, kind)
    msg = f"no function `{name}`"
    raise AttributeError(msg)


def call_all(
    conninfo: str, package: Package, queries: Sequence[TypedQuery], seed: int = 0
) -> Called:
    """Call each query's function several times, in transactions that are rolled back."""
    try:
        with importing_from([package.folder, *package.paths]):
            return asyncio.run(_call_all(conninfo, package, queries, seed))
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == package.name]:
            del sys.modules[name]


async def _call_all(
    conninfo: str, package: Package, queries: Sequence[TypedQuery], seed: int
) -> Called:
    called = Called()
    functions: dict[str, _Function] = {}
    for name, (file, called_as) in functions_of(query.parsed for query in queries).items():
        try:
            module = importlib.import_module(f"{package.name}.{file}")
            functions[name] = _found(module, called_as)
        except (ImportError, AttributeError) as error:
            called.unanswered[name] = f"the generated function cannot be imported: {error}"
    if not functions:
        return called
    async with opened(conninfo, package.name, package.driver) as db:
        values = {q.parsed.name: await _values(db, q, seed) for q in queries}
        await db.run("begin")
        for _ in range(_CALLS):
            for query in queries:
                name = query.parsed.name
                if function := functions.get(name):
                    await _call(db, query, function, values[name], called)
    return called


def _in_decoder(error: Exception) -> bool:
    """Return whether a JSON decoder raised the error, which disproves the inferred JSON shape."""
    frames = traceback.extract_tb(error.__traceback__)
    return any(Path(frame.filename).stem == DOCUMENTS for frame in frames)


def _is_unmade(error: Exception, text: str) -> bool:
    """Return whether an error shows that random JSON does not fit the class of an override."""
    return text.startswith(_DOCUMENT) and not _in_decoder(error)


def _is_declared(error: Exception, query: TypedQuery) -> bool:
    """Return whether an error may come from random JSON without the declared structure."""
    shapes = [column.shape for column in query.columns if column.shape]
    inside = _in_decoder(error) and any(map(is_declared, shapes))
    return inside or type(error).__name__ == _STORED


async def _values(db: Opened, query: TypedQuery, seed: int) -> Values:
    """Return argument values for a query, including values of the columns that it compares with."""
    values = Values(Random(seed), {})  # noqa: S311 - test data
    for param in query.params:
        if param.origin is None or param.is_part or param.row:
            continue
        held = await db.values(param.origin, _REMEMBERED)
        for value in held:
            values.remember({argument(param.name): value})
    return values


_ROWS = 20  # of a page


async def _call(
    db: Opened,
    query: TypedQuery,
    function: _Function,
    values: Values,
    called: Called,
) -> None:
    name = query.parsed.name
    naive = {
        argument(p.row or p.name) for p in query.params if p.type.name in {"timestamp", "time"}
    }
    try:
        arguments = values.arguments(function.call, frozenset(naive))
    except Exception as error:  # noqa: BLE001 - a user's class, for which no value is known
        called.unanswered.setdefault(name, f"no arguments: {type(error).__name__}: {error}")
        return
    if query.parsed.paging and query.parsed.paging.keys:  # a cursor comes from another call
        arguments |= {CURSOR: None, SIZE: _ROWS}
    undisturbed = False
    try:
        async with asyncio.timeout(_LONGEST):
            answer = function.call(function.receiver(db.executor), **arguments)
            result = [row async for row in answer] if isasyncgen(answer) else await answer
        undisturbed = query.read_only
    except Exception as error:  # noqa: BLE001 - any exception breaks the function's guarantee
        text = f"{type(error).__name__}: {error}"
        if has_no_value(error):
            called.unread.setdefault(name, text)
        elif isinstance(error, db.refusals):
            called.unanswered.setdefault(name, text.split("\n", maxsplit=1)[0])
        elif _NEEDED in text or _is_declared(error, query) or _is_unmade(error, text):
            called.unanswered.setdefault(name, text)
        else:
            called.broken.setdefault(name, f"{text} with {arguments!r}")
        return
    finally:
        if not undisturbed:
            await db.run("rollback; begin")  # one round trip
    called.answered.add(name)
    called.calls += 1
    promised = None if isasyncgen(answer) else hints_of(function.call).get("return")
    if promised is not None and (said := unlike(result, promised)):
        called.broken.setdefault(name, f"{said} with {arguments!r}")
    for row in rows_in(result)[:_REMEMBERED]:
        values.remember(row)
