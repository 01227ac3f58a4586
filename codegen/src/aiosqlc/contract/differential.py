"""Run one seeded random call sequence on both engines; stop at the first difference."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from random import Random
from types import ModuleType, NoneType
from typing import Any, get_type_hints

from msgspec import Struct, field

from aiosqlc.contract.alike import Refused, plain, rows_in
from aiosqlc.contract.values import Given, Values

STEPS = 200
_PATIENCE = 10  # longest call sequence, as a multiple, until every query has had an effect
_SHOWN = 12
_REMEMBERED = 3  # rows of each result that are remembered


class Call(Struct, frozen=True):
    """A query, with the two modules or classes that contain its functions for the two engines.

    `ordered` means that the query orders its rows. Otherwise, the order of rows is not compared.
    `naive` names the parameters whose times have no time zone.
    """

    name: str
    first: ModuleType | type
    second: ModuleType | type
    ordered: bool = False
    naive: frozenset[str] = frozenset()

    @property
    def function(self) -> Callable[..., object]:
        """Return the first engine's function, whose signature applies to both engines."""
        found: Callable[..., object] = getattr(self.first, self.name)
        return found


class _Progress(Struct):
    """The calls made during a comparison, and the functions that found or changed a row."""

    done: list[str] = field(default_factory=list)
    effective: set[str] = field(default_factory=set)


async def compare(
    calls: Sequence[Call],
    first: Any,
    second: Any,
    *,
    seed: int,
    given: Given | None = None,
    steps: int = STEPS,
) -> None:
    """Make the same calls on `first` and `second`, which run on databases with equal content.

    At least `steps` calls are made. If a query has then not found or changed a row, more are made.

    Raises:
        AssertionError: if two results differ, or if a query never finds or changes anything.
    """
    random = Random(seed)  # noqa: S311 - call sequences must be repeatable
    values = Values(random, given or {})
    progress = _Progress()
    while len(progress.done) < steps or (
        len(progress.effective) < len(calls) and len(progress.done) < steps * _PATIENCE
    ):
        call = _next(random, calls, progress)
        arguments = values.arguments(call.function, call.naive)
        results = await asyncio.gather(
            _result(call, call.first, first, arguments),
            _result(call, call.second, second, arguments),
        )
        answers = [_answer(call, result) for result in results]
        progress.done.append(f"{call.name}({_shown(arguments)}) = {_short(answers[0])}")
        if answers[0] != answers[1]:
            raise AssertionError(_difference(seed, progress, answers))
        if not isinstance(answers[0], Refused):
            values.remember(arguments)
            for row in rows_in(results[0])[:_REMEMBERED]:
                values.remember(row)
        if _has_effect(call, answers[0]):
            progress.effective.add(call.name)
    silent = [call.name for call in calls if call.name not in progress.effective]
    if silent:
        raise AssertionError(
            f"seed {seed}: these calls never returned or changed a row: {', '.join(silent)};"
            " list values that occur in the rows under `contract: values:`"
        )


def _next(random: Random, calls: Sequence[Call], progress: _Progress) -> Call:
    """Choose a call; a call that has not found or changed a row yet is four times as likely."""
    weights = [1 if call.name in progress.effective else 4 for call in calls]
    return random.choices(calls, weights)[0]


async def _result(
    call: Call, owner: ModuleType | type, db: Any, arguments: dict[str, object]
) -> object:
    try:
        if isinstance(owner, ModuleType):
            # aiosqlc_loops: each result is compared before the next call
            return await getattr(owner, call.name)(db, **arguments)
        # aiosqlc_loops: each result is compared before the next call
        return await getattr(owner(db), call.name)(**arguments)
    except Exception:  # noqa: BLE001 - any exception of a driver means that the call failed
        return Refused()


def _answer(call: Call, result: object) -> object:
    shown = plain(result)
    if isinstance(result, list) and isinstance(shown, list) and not call.ordered:
        return sorted(shown, key=repr)
    return shown


def _has_effect(call: Call, answer: object) -> bool:
    """Return whether a call found or changed something, so that comparing its results is useful."""
    if isinstance(answer, Refused):
        return False
    if get_type_hints(call.function)["return"] is NoneType:
        return True  # an :exec that was accepted
    return answer not in ([], ("NoneType", None), ("int", 0))


def _difference(seed: int, progress: _Progress, answers: Sequence[object]) -> str:
    before = "\n  ".join(progress.done[-_SHOWN:-1])
    call = progress.done[-1].partition(" = ")[0]
    return (
        f"seed {seed}: the engines differ after\n  {before}\n"
        f"in {call}\n  first:  {answers[0]}\n  second: {answers[1]}"
    )


def _shown(arguments: dict[str, object]) -> str:
    return ", ".join(f"{name}={_short(value)}" for name, value in arguments.items())


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 160 else f"{text[:157]}..."
