"""Metrics of background work: seconds, in progress, failures."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Final, TypeVar
from weakref import WeakKeyDictionary

from prometheus_async import aio
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from lib.metrics import LATENCY_BUCKETS

T = TypeVar("T")


class Work:
    """Work of one kind: `<kind>_seconds`, `<kind>_in_progress`, `<kind>_failures_total`."""

    def __init__(self, registry: CollectorRegistry, kind: str, label: str, what: str) -> None:
        named = (label,)
        self._seconds = Histogram(
            f"{kind}_seconds",
            f"Seconds that {what} took.",
            named,
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self._in_progress = Gauge(
            f"{kind}_in_progress", f"Under way: {what}.", named, registry=registry
        )
        self._failures = Counter(
            f"{kind}_failures_total", f"Failed: {what}.", named, registry=registry
        )

    async def measured(self, name: str, work: Awaitable[T]) -> T:
        """Run `work` and count it under `name`. Return the result or raise the exception."""
        # One that was cancelled has not failed: somebody left, or the process ends.
        counted = aio.count_exceptions(self._failures.labels(name), work, exc=Exception)
        under_way = aio.track_inprogress(self._in_progress.labels(name), counted)
        result: T = await aio.time(self._seconds.labels(name), under_way)
        return result


_LOOPS: Final[WeakKeyDictionary[CollectorRegistry, Work]] = WeakKeyDictionary()
_CALLS: Final[WeakKeyDictionary[CollectorRegistry, Work]] = WeakKeyDictionary()


def steps_of_loops(registry: CollectorRegistry) -> Work:
    """Return the metrics of background loops: `background_step_…{loop}`."""
    if registry not in _LOOPS:
        _LOOPS[registry] = Work(registry, "background_step", "loop", "a step of a background loop")
    return _LOOPS[registry]


def calls_to_upstreams(registry: CollectorRegistry) -> Work:
    """Return the metrics of calls with all their attempts: `upstream_call_…{upstream}`."""
    if registry not in _CALLS:
        _CALLS[registry] = Work(registry, "upstream_call", "upstream", "a call to another service")
    return _CALLS[registry]
