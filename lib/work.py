"""Metrics of background work: seconds, in progress, failures."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Final
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from lib.metrics import LATENCY_BUCKETS


class Work:
    """Metrics of one kind of work: `<kind>_seconds`, `…_in_progress` and `…_failures_total`."""

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

    @contextmanager
    def measuring(self, name: str) -> Iterator[None]:
        """Measure the block under the label `name`: its duration, and whether it fails."""
        seconds, failures = self._seconds.labels(name), self._failures.labels(name)
        in_progress = self._in_progress.labels(name)
        began = perf_counter()
        in_progress.inc()
        try:
            yield
        except Exception:  # a cancelled one has not failed: the caller left, or the process ends
            failures.inc()
            raise
        finally:
            in_progress.dec()
            seconds.observe(perf_counter() - began)


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
