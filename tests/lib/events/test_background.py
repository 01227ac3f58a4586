"""Loops beside the requests: an exception in one step does not end them."""

from __future__ import annotations

import asyncio

import pytest

from devstack.testing.wait import DEADLINE, eventually
from lib.events.background import repeating


@pytest.mark.parametrize("met", [OSError, asyncio.CancelledError])
async def test_a_step_that_breaks_off_is_made_again(met: type[BaseException]) -> None:
    steps = 0

    async def step() -> bool:
        nonlocal steps
        steps += 1
        if steps == 1:
            raise met
        return False

    async with repeating(step, name="test", idle_seconds=0.01):
        await eventually(lambda: steps > 2)


async def test_a_loop_that_is_cancelled_ends() -> None:
    async def step() -> bool:
        await asyncio.sleep(60)
        return False

    async with repeating(step, name="cancelled", idle_seconds=0.01):
        (task,) = (one for one in asyncio.all_tasks() if one.get_name() == "cancelled")
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait((task,), timeout=DEADLINE)
        assert task.cancelled()


@pytest.mark.parametrize(
    ("takes", "given", "is_finished"), [(60.0, 0.0, False), (0.1, DEADLINE, True)]
)
async def test_a_step_has_as_long_to_finish_as_it_is_given(
    takes: float, given: float, is_finished: bool
) -> None:
    begun, finished = asyncio.Event(), False

    async def step() -> bool:
        nonlocal finished
        begun.set()
        await asyncio.sleep(takes)
        finished = True
        return False

    async with repeating(step, name="test", idle_seconds=60, stop_seconds=given):
        await begun.wait()
    assert finished is is_finished
