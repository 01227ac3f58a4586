"""Calls every generated function on a server with the schema and rows in it."""

from __future__ import annotations

import asyncio
import importlib
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from inspect import isasyncgen, iscoroutinefunction
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, get_type_hints

from aiosqlc.contract.alike import rows_in
from aiosqlc.contract.conforms import unlike
from aiosqlc.contract.values import Values
from aiosqlc.pipeline import Analysed
from aiosqlc.plan.naming import argument, function_name, module_name
from aiosqlc.stages import TypedQuery

from tools.realworld.worlds import Recorder, World, by_data, open_world

_ROUNDS = 3  # data sets: nothing, little, more
_CALLS = 6  # of each function in each


@dataclass
class Called:
    """What calling has shown. `answered` counts functions that the server did not refuse."""

    functions: int = 0
    answered: int = 0
    wrong: list[str] = field(default_factory=list)
    refuted: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    refusals: dict[str, int] = field(default_factory=dict)
    nulls: dict[str, list[int]] = field(default_factory=dict)  # columns seen empty, by query


def call_all(analysed: Analysed, out: Path, names: Sequence[str]) -> Called:
    """Call the functions of the package in `out` and compare with what their texts say."""
    return asyncio.run(_call_all(analysed, out, names))


async def _call_all(analysed: Analysed, out: Path, names: Sequence[str]) -> Called:
    called = Called()
    sys.path.insert(0, str(out.parent))
    wanted = set(names)
    queries = [query for query in analysed.analysis.queries if query.parsed.name in wanted]
    functions = [(query, _function(out.name, query)) for query in queries]
    called.functions = len(functions)
    answered: set[str] = set()
    refusals: Counter[str] = Counter()
    values = Values(Random(0), {})  # noqa: S311 - test data
    async with open_world(analysed, out) as world:
        for number in range(_ROUNDS):
            await world.fill(number)
            for row in await world.rows():
                values.remember(row)
            for query, (module, function) in functions:
                naive = _naive(query)
                for _ in range(_CALLS):
                    trial = _Trial(query, module, function, naive, values, world)
                    said = await trial.run(called)
                    if said:
                        refusals[said] += 1
                    else:
                        answered.add(query.parsed.name)
    called.answered = len(answered)
    called.refusals = dict(refusals.most_common(12))
    for name in ("wrong", "refuted", "broken"):
        setattr(called, name, list(dict.fromkeys(getattr(called, name))))
    return called


def _function(package: str, query: TypedQuery) -> tuple[ModuleType, Any]:
    module = importlib.import_module(f"{package}.{module_name(query.parsed.file.path.name)}")
    return module, getattr(module, function_name(query.parsed.name))


def _naive(query: TypedQuery) -> frozenset[str]:
    """Return the parameters whose times have no zone."""
    return frozenset(argument(p.name) for p in query.params if p.type.name in {"timestamp", "time"})


@dataclass
class _Trial:
    """One call of one function."""

    query: TypedQuery
    module: ModuleType
    function: Any
    naive: frozenset[str]
    values: Values
    world: World

    async def run(self, called: Called) -> str:
        """Call it; return why the server refused, empty where it answered."""
        name = self.query.parsed.name
        try:
            arguments = self.values.arguments(self.function, self.naive)
        except Exception as error:  # noqa: BLE001 - a type that no value is known for
            return f"no arguments: {type(error).__name__}: {error}"[:90]
        async with self.world.attempt() as recorder:
            try:
                answer = self.function(recorder, **arguments)
                result = [r async for r in answer] if isasyncgen(answer) else await answer
            except self.world.refusals as error:
                if "(expected " in str(error):  # the driver refuses what the annotation allows
                    called.broken.append(f"{name}: {error}"[:300])
                else:
                    await self._compare_refusal(recorder, error, called)
                return f"{type(error).__name__}"
            except Exception as error:  # noqa: BLE001 - this is what is looked for
                if await recorder.source_fails(self.query):
                    return f"{type(error).__name__}"
                called.broken.append(f"{name}: {type(error).__name__}: {error}"[:300])
                return type(error).__name__
            differing = await recorder.differs_from_source(self.query)
        if differing:
            called.wrong.append(f"{name}: {differing}"[:400])
        called.nulls[name] = sorted({*called.nulls.get(name, ()), *recorder.nulls()})
        hints = get_type_hints(self.function)
        if not isasyncgen(answer) and iscoroutinefunction(self.function):
            found = unlike(result, hints["return"])
            if found:
                called.refuted.append(f"{name}: {found} with {arguments!r}"[:400])
        with suppress(Exception):
            for row in rows_in(result)[:3]:
                self.values.remember(row)
        return ""

    async def _compare_refusal(self, recorder: Recorder, error: Exception, called: Called) -> None:
        """A text that the server refuses where it takes the source's is wrong."""
        if by_data(error):  # a row may be in the way at one time and not at another
            return
        if recorder.statements and not await recorder.source_fails(self.query):
            called.wrong.append(
                f"{self.query.parsed.name}: only our text is refused: "
                f"{type(error).__name__}: {error}"[:400]
            )
