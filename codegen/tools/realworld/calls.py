"""Call every generated function on a server that has the schema and some rows."""

from __future__ import annotations

import asyncio
import importlib
import re
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from inspect import isasyncgen, iscoroutinefunction
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, get_type_hints

from aiosqlc.contract.alike import rows_in
from aiosqlc.contract.conforms import unlike
from aiosqlc.contract.values import Values
from aiosqlc.ir import TypedQuery
from aiosqlc.pipeline.analysed import Analysed
from aiosqlc.plan.clashes import functions_of
from aiosqlc.plan.naming import argument
from aiosqlc.source import Dialect

from tools.realworld.witness import Near, doubtful, places
from tools.realworld.worlds import Recorder, World, by_data, open_world

_ROUNDS = 3  # data sets: nothing, little, more
_CALLS = 6  # of each function in each
_SETS = 4  # further data sets, on which witnesses are looked for
_TRIALS = 50  # of each function in each
_SECONDS = 60.0  # the longest that looking for witnesses takes

Said = Mapping[str, Sequence[bool]]
"""The columns that sqlc infers as NOT NULL, by query."""


@dataclass
class Called:
    """The results of calling generated functions.

    `answered` counts functions that the server accepted.
    """

    functions: int = 0
    answered: int = 0
    wrong: list[str] = field(default_factory=list)
    refuted: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    refusals: dict[str, int] = field(default_factory=dict)
    nulls: dict[str, list[int]] = field(default_factory=dict)  # columns seen empty, by query

    def saw(self, query: TypedQuery, empty: set[int]) -> None:
        """Record which columns were NULL in some row, by their positions in sqlc's document."""
        shown = {n for n, place in enumerate(places(query)) if place in empty}
        name = query.parsed.name
        self.nulls[name] = sorted({*self.nulls.get(name, ()), *shown})

    def misses(self, query: TypedQuery, wanted: set[int]) -> bool:
        """Return whether one of the given columns has not yet been NULL in any row."""
        shown = places(query)
        return not wanted <= {shown[n] for n in self.nulls.get(query.parsed.name, ())}


# On MySQL such a statement ends the transaction that is undone behind each call.
_COMMITS = re.compile(r"\s*(?:create|drop|alter|truncate|rename)\b", re.IGNORECASE)


def call_all(analysed: Analysed, out: Path, names: Sequence[str], said: Said) -> Called:
    """Call the functions in the package `out`, and compare their results with the source SQL's."""
    return asyncio.run(_call_all(analysed, out, names, said))


async def _call_all(analysed: Analysed, out: Path, names: Sequence[str], said: Said) -> Called:
    called = Called()
    sys.path.insert(0, str(out.parent))
    wanted = set(names)
    queries = [query for query in analysed.analysis.queries if query.parsed.name in wanted]
    places = functions_of(query.parsed for query in queries)
    functions = [
        _Function(query, *_function(out.name, *places[query.parsed.name]))
        for query in queries
        if analysed.entry.engine is not Dialect.MYSQL or not _COMMITS.match(query.sql)
    ]
    called.functions = len(functions)
    answered: set[str] = set()
    refusals: Counter[str] = Counter()
    values = Values(Random(0), {})  # noqa: S311 - test data
    async with open_world(analysed, out) as world:
        for number in range(_ROUNDS):
            await world.fill(number)
            for rows in (await world.rows()).values():
                for row in rows:
                    values.remember(row)
            for item in functions:
                for _ in range(_CALLS):
                    trial = _Trial(item, partial(item.arguments, values), values, world)
                    refusal = await trial.run(called)
                    if refusal:
                        refusals[refusal] += 1
                    else:
                        answered.add(item.query.parsed.name)
        aims = [
            (item, doubtful(item.query, said.get(item.query.parsed.name, ()))) for item in functions
        ]
        await _find_witnesses(called, [aim for aim in aims if aim[1]], values, world)
    called.answered = len(answered)
    called.refusals = dict(refusals.most_common(12))
    for name in ("wrong", "refuted", "broken"):
        setattr(called, name, list(dict.fromkeys(getattr(called, name))))
    return called


async def _find_witnesses(
    called: Called, wanted: Sequence[tuple[_Function, set[int]]], values: Values, world: World
) -> None:
    """Call functions to find NULL in columns that sqlc infers as NOT NULL."""
    until = time.monotonic() + _SECONDS
    for number in range(_SETS):
        missing = [pair for pair in wanted if called.misses(pair[0].query, pair[1])]
        if not missing:
            return
        await world.fill(number + 2, nulls=0.3 + 0.2 * number)
        near = Near(values, await world.rows(), Random(number))  # noqa: S311 - test data
        for item, places_ in missing:
            for _ in range(_TRIALS):
                if not called.misses(item.query, places_) or time.monotonic() > until:
                    break
                await _Trial(item, partial(item.near, near), values, world).run(called)


def _function(package: str, module: str, function: str) -> tuple[ModuleType, Any]:
    found = importlib.import_module(f"{package}.{module}")
    return found, getattr(found, function)


def _naive(query: TypedQuery) -> frozenset[str]:
    """Return the parameters whose values are times without a time zone."""
    return frozenset(argument(p.name) for p in query.params if p.type.name in {"timestamp", "time"})


@dataclass(frozen=True)
class _Function:
    """A generated function and its query."""

    query: TypedQuery
    module: ModuleType
    call: Any

    def arguments(self, values: Values) -> dict[str, object]:
        """Choose random arguments."""
        return values.arguments(self.call, _naive(self.query))

    def near(self, near: Near) -> dict[str, object]:
        """Choose arguments that match existing rows."""
        return near.arguments(self.query, self.call, _naive(self.query))


@dataclass
class _Trial:
    """One call of a function."""

    function: _Function
    choose: Callable[[], dict[str, object]]
    values: Values
    world: World

    async def run(self, called: Called) -> str:
        """Call the function, and return the name of its error, or an empty string."""
        query, function = self.function.query, self.function.call
        name = query.parsed.name
        try:
            arguments = self.choose()
        except Exception as error:  # noqa: BLE001 - a type that no value is known for
            return f"no arguments: {type(error).__name__}: {error}"[:90]
        async with self.world.attempt() as recorder:
            try:
                answer = function(recorder, **arguments)
                result = [r async for r in answer] if isasyncgen(answer) else await answer
            except self.world.refusals as error:
                if "(expected " in str(error):  # the driver refuses what the annotation allows
                    called.broken.append(f"{name}: {error}"[:300])
                else:
                    await self._compare_refusal(recorder, error, called)
                return f"{type(error).__name__}"
            except Exception as error:  # noqa: BLE001 - this is what is looked for
                if await recorder.source_fails(query):
                    return f"{type(error).__name__}"
                called.broken.append(f"{name}: {type(error).__name__}: {error}"[:300])
                return type(error).__name__
            differing = await recorder.differs_from_source(query)
        if differing:
            called.wrong.append(f"{name}: {differing}"[:400])
        called.saw(query, recorder.nulls())
        hints = get_type_hints(function)
        if not isasyncgen(answer) and iscoroutinefunction(function):
            found = unlike(result, hints["return"])
            if found:
                called.refuted.append(f"{name}: {found} with {arguments!r}"[:400])
        with suppress(Exception):
            for row in rows_in(result)[:3]:
                self.values.remember(row)
        return ""

    async def _compare_refusal(self, recorder: Recorder, error: Exception, called: Called) -> None:
        """Report generated SQL that the server refuses although it accepts the source query."""
        if by_data(error):  # a row may be in the way at one time and not at another
            return
        if recorder.statements and not await recorder.source_fails(self.function.query):
            called.wrong.append(
                f"{self.function.query.parsed.name}: the server accepts the SQL of the project,"
                f" but refuses the SQL of aiosqlc: {type(error).__name__}: {error}"[:400]
            )
