"""A circuit breaker: stop calls to a failing upstream, probe the upstream, then close again."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Final
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry, Gauge

from lib.errors import AppError, Code
from lib.log import get_logger
from lib.resilience.deadline import remaining
from lib.resilience.outcome import is_upstream_fault

log = get_logger(__name__)

Monotonic = Callable[[], float]
_SLICES: Final = 12
_TICK: Final = 0.001  # timers fire this close to their time
_FAIR_SECONDS: Final = 1.0


class State(IntEnum):
    """The states of a circuit breaker. The numbers are the values of its metric."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """The conditions to open and close the circuit. Times are in seconds."""

    min_requests: int = 3
    failure_ratio: float = 0.5
    window_seconds: float = 60.0
    open_seconds: float = 30.0
    probes: int = 3
    # At first the circuit is open for this long, then twice as long each time, up to
    # `open_seconds`. A restarted upstream is called again soon; one that stays down, rarely.
    first_open_seconds: float = 1.0


class CircuitBreaker:
    """Guard the calls to one upstream, from one event loop.

    Closed: the failures of the last `window_seconds` are counted in twelve parts of this time.
    Open: every call is refused with CIRCUIT_OPEN. Half-open: at most `probes` calls run at a time.
    The circuit closes after the same number of successes in a row. One failure opens it again, for
    twice the time.
    """

    def __init__(
        self,
        name: str,
        policy: BreakerPolicy = BreakerPolicy(),
        *,
        clock: Monotonic = time.monotonic,
        on_change: Callable[[State], None] | None = None,
    ) -> None:
        self.name = name
        self._policy = policy
        self._clock = clock
        self._on_change = on_change
        self._state = State.CLOSED
        self._generation = 0
        self._counts = _Counts(policy.window_seconds)
        self._open_until = 0.0
        self._open_next = policy.first_open_seconds
        self._probing = 0
        self._successes = 0
        if on_change is not None:
            on_change(State.CLOSED)

    @property
    def state(self) -> State:
        """Return the current state. An open circuit becomes half-open after its wait."""
        if self._state is State.OPEN and self._open_for() <= 0:
            self._enter(State.HALF_OPEN)
        return self._state

    @contextmanager
    def guard(self, seconds: float = _FAIR_SECONDS) -> Iterator[None]:
        """Guard one call, and count its success or exception.

        A cancelled call counts as neither. If it was cancelled because the request's time was up,
        it counts as a failure: the upstream was too slow. This does not hold if less than a second,
        or less than half of `seconds`, was left for the call: a short deadline of the caller is not
        a failure of the upstream.

        Raises:
            AppError: CIRCUIT_OPEN, with `Retry-After`, if the call is refused.
        """
        generation = self._admit()
        had_time = remaining(seconds) >= min(seconds / 2, _FAIR_SECONDS)
        try:
            yield
        except BaseException as error:
            self._finish(generation, _verdict(error, had_time=had_time))
            raise
        self._finish(generation, True)

    def _admit(self) -> int:
        state = self.state
        if state is State.OPEN:
            raise self._refusal(self._open_for())
        if state is State.HALF_OPEN:
            if self._probing >= self._policy.probes:
                raise self._refusal(1.0)
            self._probing += 1
        return self._generation

    def _finish(self, generation: int, succeeded: bool | None) -> None:
        # A call that began before the last change of state says nothing about this one.
        if generation != self._generation:
            return
        if self._state is State.HALF_OPEN:
            self._finish_probe(succeeded)
        elif succeeded is not None:
            total, failed = self._counts.add(self._clock(), failed=not succeeded)
            if (
                not succeeded
                and total >= self._policy.min_requests
                and failed / total >= self._policy.failure_ratio
            ):
                self._enter(State.OPEN)

    def _finish_probe(self, succeeded: bool | None) -> None:
        self._probing -= 1
        if succeeded is False:
            self._enter(State.OPEN)
        elif succeeded:
            self._successes += 1
            if self._successes >= self._policy.probes:
                self._enter(State.CLOSED)

    def _enter(self, state: State) -> None:
        log.warning(
            "circuit_changed",
            upstream=self.name,
            state=state.name.lower(),
            was=self._state.name.lower(),
        )
        self._state = state
        self._generation += 1
        self._counts = _Counts(self._policy.window_seconds)
        if state is State.CLOSED:
            self._open_next = self._policy.first_open_seconds
        elif state is State.OPEN:
            seconds = min(self._open_next, self._policy.open_seconds)
            self._open_until = self._clock() + seconds
            self._open_next = 2 * seconds
        self._probing = self._successes = 0
        if self._on_change is not None:
            self._on_change(state)

    def _open_for(self) -> float:
        return self._open_until - self._clock()

    def _refusal(self, seconds: float) -> AppError:
        return AppError(
            Code.CIRCUIT_OPEN,
            f"{self.name} is unavailable (circuit open); try again later",
            headers={"Retry-After": str(max(1, round(seconds)))},
        )


class _Counts:
    """The calls and failures of the last window, in a fixed number of time slices."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._width = window / _SLICES
        self._slices: deque[tuple[float, int, int]] = deque()  # (begin, calls, failures)
        self._calls = self._failures = 0

    def add(self, now: float, *, failed: bool) -> tuple[int, int]:
        """Count one call. Return (calls, failures) of the window that ends now."""
        while self._slices and self._slices[0][0] <= now - self._window:
            _, calls, failures = self._slices.popleft()
            self._calls -= calls
            self._failures -= failures
        if not self._slices or now >= self._slices[-1][0] + self._width:
            self._slices.append((now, 0, 0))
        begin, calls, failures = self._slices.pop()
        self._slices.append((begin, calls + 1, failures + failed))
        self._calls += 1
        self._failures += failed
        return self._calls, self._failures


def _verdict(error: BaseException, *, had_time: bool) -> bool | None:
    if isinstance(error, asyncio.CancelledError) and remaining(1.0) <= _TICK:
        return False if had_time else None
    if isinstance(error, AppError) and error.code is Code.DEADLINE_EXCEEDED and not had_time:
        return None
    if not isinstance(error, Exception):
        return None  # the caller left, or the process is ending
    return not is_upstream_fault(error)


class BreakerGauge:
    """The metric `circuit_breaker_state{upstream}`: 0 closed, 1 half-open, 2 open."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._gauge = Gauge(
            "circuit_breaker_state",
            "State of the circuit to an upstream: 0 closed, 1 half-open, 2 open.",
            ("upstream",),
            registry=registry,
        )

    def of(self, upstream: str) -> Callable[[State], None]:
        """Return the callback for `CircuitBreaker(on_change=…)`."""
        return self._gauge.labels(upstream).set


_GAUGES: Final[WeakKeyDictionary[CollectorRegistry, BreakerGauge]] = WeakKeyDictionary()


def gauge_in(registry: CollectorRegistry) -> BreakerGauge:
    """Return the only `BreakerGauge` of the registry. The first call creates it."""
    if registry not in _GAUGES:
        _GAUGES[registry] = BreakerGauge(registry)
    return _GAUGES[registry]
