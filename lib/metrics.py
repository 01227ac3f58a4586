"""Prometheus metrics: a registry per process, what every process exposes, the exposition."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import choose_encoder

# From a cache hit to the slowest request the deadline allows, in seconds.
LATENCY_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LAG_BUCKETS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


def new_registry(service: str) -> CollectorRegistry:
    """Return a registry that exposes the process, the interpreter and the build already."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    info = Info("app_build", "What is running.", registry=registry)
    info.info({"service": service, "version": app_version(), "python": platform.python_version()})
    return registry


def app_version() -> str:
    """Return the version of the installed platform, `0` in a tree that was never installed."""
    try:
        return version("marketplace-platform")
    except PackageNotFoundError:
        return "0"


def expose(registry: CollectorRegistry, accept: str) -> tuple[bytes, str]:
    """Return the body and its content type, in the format that the `Accept` header prefers."""
    encoder, content_type = choose_encoder(accept)
    return encoder(registry), content_type


@asynccontextmanager
async def watch_event_loop(
    registry: CollectorRegistry, *, every: float = 0.5
) -> AsyncIterator[None]:
    """Measure, while entered, how late the event loop wakes a sleeper: the cost of blocking it."""
    lag = Histogram(
        "event_loop_lag_seconds",
        "How much later than asked the event loop woke a timer.",
        buckets=_LAG_BUCKETS,
        registry=registry,
    )
    task = asyncio.create_task(_measure_lag(lag, every), name="event-loop-lag")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _measure_lag(lag: Histogram, every: float) -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + every
        await asyncio.sleep(every)
        lag.observe(max(0.0, loop.time() - due))
