"""The lifecycle of a process: configure, start, wait for a signal, stop in reverse order."""

from __future__ import annotations

import asyncio
import gc
import signal
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, TypeVar

import uvloop

from lib import log as logging
from lib.component import Component
from lib.config import ConfigError, Settings, load
from lib.errors import StartError
from lib.otlp import exporting

S = TypeVar("S", bound=Settings)

log = logging.get_logger(__name__)


def run(service: str, spec: type[S], components: Callable[[S], Sequence[Component]]) -> int:
    """Run a service until SIGINT or SIGTERM. Return the exit code.

    `components` are entered in order and left in reverse order. The exit code is 0 after a complete
    drain, 1 if a component could not start or the drain took longer than `DRAIN_SECONDS`, and 2 if
    the configuration is wrong.
    """
    try:
        config = load(spec)
    except ConfigError as error:
        sys.stderr.write(f"{service}: {error}\n")
        return 2
    logging.configure(
        service,
        level=config.log_level,
        fmt=config.log_format,
        environment=config.environment,
    )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        # Spans end last, so that the drain of the other components is still seen.
        return runner.run(
            serve(
                lambda: (
                    exporting(service, config.otlp_endpoint),
                    _profiled(config.profiling_port),
                    *components(config),
                ),
                drain_seconds=config.drain_seconds,
            )
        )


@asynccontextmanager
async def _profiled(port: int | None) -> AsyncIterator[None]:
    """Open the profiling port, if configured, before all components."""
    if port is None:
        yield
        return
    # Here, because most processes never need its libraries.
    from lib.profiling import profiling

    async with profiling(port):
        yield


async def serve(components: Callable[[], Sequence[Component]], *, drain_seconds: float) -> int:
    """Start the components, wait for a signal, and stop them. Return the exit code."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    stack = AsyncExitStack()
    try:
        await _until(stop, _enter(stack, components))
        await stop.wait()
    except StartError as error:
        log.error("cannot_start", reason=str(error))  # noqa: TRY400 - the sentence says it all
        await stack.aclose()
        return 1
    log.info("draining", limit_seconds=drain_seconds)
    return await _leave(stack, drain_seconds)


async def _enter(stack: AsyncExitStack, components: Callable[[], Sequence[Component]]) -> None:
    for component in components():
        await stack.enter_async_context(component)
    _spare_the_collector()
    log.info("started")


def _spare_the_collector() -> None:
    """Freeze objects that live as long as the process, so that the garbage collector skips them."""
    gc.collect()
    gc.freeze()


async def _until(stop: asyncio.Event, starting: Coroutine[Any, Any, None]) -> None:
    """Finish the start, or cancel it at the first signal, for example while a database is down."""
    task = asyncio.create_task(starting)
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait((task, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not task.done():
        task.cancel()
        await asyncio.wait((task,))
        return
    task.result()


async def _leave(stack: AsyncExitStack, limit: float) -> int:
    try:
        # The components keep the limit themselves; the margin is for their clean-up after it.
        async with asyncio.timeout(limit + 5.0):
            await stack.aclose()
    except TimeoutError:
        log.warning("drain_incomplete", limit_seconds=limit)
        return 1
    log.info("stopped")
    return 0
