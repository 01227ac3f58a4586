"""A background loop that survives exceptions and stops between two steps."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from prometheus_client import CollectorRegistry

from lib.log import get_logger
from lib.work import Work, steps_of_loops

log = get_logger(__name__)

_FIRST_WAIT: Final = 0.1
_LONGEST_WAIT: Final = 5.0
_STOP_SECONDS: Final = 5.0


@asynccontextmanager
async def repeating(
    step: Callable[[], Awaitable[bool]],
    *,
    name: str,
    idle_seconds: float,
    registry: CollectorRegistry | None = None,
    stop_seconds: float = _STOP_SECONDS,
) -> AsyncIterator[None]:
    """Repeat `step` while the block runs. After a step without work, wait `idle_seconds`.

    With a `registry`, each step is measured under `name`.

    A failed step is logged and repeated after a wait, which doubles up to 5 s. At the end of the
    block, a running step has `stop_seconds` to finish before it is cancelled.
    """
    stop = asyncio.Event()
    if registry is not None:
        step = partial(_measured, steps_of_loops(registry), name, step)
    task = asyncio.create_task(_repeat(step, stop, name, idle_seconds), name=name)
    try:
        yield
    finally:
        stop.set()
        await asyncio.wait((task,), timeout=stop_seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _measured(work: Work, name: str, step: Callable[[], Awaitable[bool]]) -> bool:
    with work.measuring(name):
        return await step()


async def _repeat(
    step: Callable[[], Awaitable[bool]], stop: asyncio.Event, name: str, idle_seconds: float
) -> None:
    wait = _FIRST_WAIT
    while not stop.is_set():
        try:
            pause = 0.0 if await step() else idle_seconds
            wait = _FIRST_WAIT
        except (Exception, asyncio.CancelledError) as error:
            # The loop continues after any failure of a step. A driver whose connection breaks may
            # even raise a CancelledError although the task was not cancelled.
            if isinstance(error, asyncio.CancelledError) and _is_cancelled():
                raise
            log.warning("background_step_failed", loop=name, error=error)
            pause, wait = wait, min(_LONGEST_WAIT, wait * 2)
        if pause:
            await _sleep(stop, pause)


def _is_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
