"""The circuit breaker: when it opens, which calls it allows, and when it closes."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest
from prometheus_client import CollectorRegistry

from devstack.testing.clock import Clock
from lib import context
from lib.errors import AppError, Code
from lib.resilience.breaker import BreakerGauge, BreakerPolicy, CircuitBreaker, State

DOWN = AppError(Code.SERVICE_UNAVAILABLE, "down")


def call(breaker: CircuitBreaker, error: BaseException | None = None) -> None:
    with breaker.guard():
        if error is not None:
            raise error


def fail(breaker: CircuitBreaker, error: BaseException = DOWN) -> None:
    with pytest.raises(type(error)):
        call(breaker, error)


def opened(first: float = 30.0) -> tuple[CircuitBreaker, Clock[float]]:
    clock = Clock(1000.0)
    breaker = CircuitBreaker("user", BreakerPolicy(first_open_seconds=first), clock=clock)
    for _ in range(3):
        fail(breaker)
    assert breaker.state is State.OPEN
    return breaker, clock


@pytest.mark.parametrize(
    ("outcomes", "state"),
    [
        ("ff", State.CLOSED),  # fewer than three requests
        ("fff", State.OPEN),
        ("sff", State.OPEN),
        ("ssf", State.CLOSED),
        ("sssff", State.CLOSED),  # 40 %
        ("sssfff", State.OPEN),  # exactly half
        ("ffs", State.CLOSED),  # a success never opens it
        ("ffsf", State.OPEN),
    ],
)
def test_it_opens_at_three_requests_and_half_failures(outcomes: str, state: State) -> None:
    breaker = CircuitBreaker("user", clock=Clock(1000.0))
    for outcome in outcomes:
        if outcome == "s":
            call(breaker)
        else:
            fail(breaker)
    assert breaker.state is state


def test_it_asks_again_soon_at_first_and_less_often_while_nobody_answers() -> None:
    breaker, clock = opened(BreakerPolicy().first_open_seconds)
    pauses = []
    for _ in range(8):
        began = clock.now
        while breaker.state is State.OPEN:
            clock.now += 0.5
        pauses.append(clock.now - began)
        fail(breaker)
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    clock.now += 30
    for _ in range(3):
        call(breaker)
    assert breaker.state is State.CLOSED
    for _ in range(3):
        fail(breaker)
    clock.now += 1
    assert breaker.state is State.HALF_OPEN


@pytest.mark.parametrize(
    "code",
    [
        Code.NOT_FOUND,
        Code.VALIDATION_ERROR,
        Code.CONFLICT,
        Code.UNAUTHORIZED,
        Code.RATE_LIMIT_EXCEEDED,
        Code.PRECONDITION_FAILED,
    ],
)
def test_a_4xx_answer_is_a_success(code: Code) -> None:
    breaker = CircuitBreaker("user", clock=Clock(1000.0))
    for _ in range(20):
        fail(breaker, AppError(code, "no"))
    assert breaker.state is State.CLOSED


@pytest.mark.parametrize(
    "error",
    [
        DOWN,
        AppError(Code.DEADLINE_EXCEEDED, "slow"),
        AppError(Code.INTERNAL_ERROR, "bug"),
        ConnectionResetError(),
        TimeoutError(),
        ValueError("garbled"),
    ],
)
def test_a_failure_of_the_upstream_counts(error: Exception) -> None:
    breaker = CircuitBreaker("user", clock=Clock(1000.0))
    for _ in range(3):
        fail(breaker, error)
    assert breaker.state is State.OPEN


def test_failures_older_than_the_window_are_forgotten() -> None:
    clock = Clock(1000.0)
    breaker = CircuitBreaker("user", clock=clock)
    fail(breaker)
    fail(breaker)
    clock.now += 60.0
    fail(breaker)
    assert breaker.state is State.CLOSED
    clock.now += 30.0
    fail(breaker)
    fail(breaker)
    assert breaker.state is State.OPEN


def test_memory_does_not_grow_with_traffic() -> None:
    clock = Clock(1000.0)
    breaker = CircuitBreaker("user", clock=clock)
    for _ in range(5000):
        clock.now += 0.05
        call(breaker)
    assert len(breaker._counts._slices) <= 13


def test_an_open_circuit_refuses_for_thirty_seconds_and_says_how_long() -> None:
    breaker, clock = opened()
    clock.now += 10.0
    with pytest.raises(AppError) as refused:
        call(breaker)
    assert refused.value.code is Code.CIRCUIT_OPEN
    assert refused.value.headers["Retry-After"] == "20"
    clock.now += 20.0
    assert breaker.state is State.HALF_OPEN


def test_three_successful_probes_close_it() -> None:
    breaker, clock = opened()
    clock.now += 30.0
    call(breaker)
    call(breaker)
    assert breaker.state is State.HALF_OPEN
    call(breaker)
    assert breaker.state is State.CLOSED


def test_one_failed_probe_opens_it_again() -> None:
    breaker, clock = opened()
    clock.now += 30.0
    call(breaker)
    fail(breaker)
    assert breaker.state is State.OPEN
    clock.now += 29.0
    with pytest.raises(AppError, match="circuit open"):
        call(breaker)


def test_a_fourth_probe_at_a_time_is_refused() -> None:
    breaker, clock = opened()
    clock.now += 30.0
    probes = [breaker.guard() for _ in range(3)]
    for probe in probes:
        probe.__enter__()
    with pytest.raises(AppError) as refused:
        call(breaker)
    assert refused.value.code is Code.CIRCUIT_OPEN
    for probe in probes:
        probe.__exit__(None, None, None)
    assert breaker.state is State.CLOSED


def test_a_cancelled_probe_gives_its_place_back_and_counts_as_nothing() -> None:
    breaker, clock = opened()
    clock.now += 30.0

    async def leave() -> None:
        for _ in range(10):
            with pytest.raises(asyncio.CancelledError):
                call(breaker, asyncio.CancelledError())

    asyncio.run(leave())
    assert breaker.state is State.HALF_OPEN
    for _ in range(3):
        call(breaker)
    assert breaker.state is State.CLOSED


async def test_a_call_cancelled_because_its_time_was_up_is_a_failure() -> None:
    breaker = CircuitBreaker("user", clock=Clock(1000.0))
    for _ in range(3):
        context.deadline.set(None)
        with suppress(asyncio.CancelledError), breaker.guard():
            context.deadline.set(asyncio.get_running_loop().time())
            raise asyncio.CancelledError
    assert breaker.state is State.OPEN


def test_a_call_from_before_the_change_says_nothing_about_the_new_state() -> None:
    breaker, clock = opened()
    clock.now += 30.0
    old = breaker.guard()
    old.__enter__()  # a probe of this half-open period
    fail(breaker)  # another probe opens it
    clock.now += 30.0
    assert breaker.state is State.HALF_OPEN
    old.__exit__(None, None, None)
    call(breaker)
    call(breaker)
    assert breaker.state is State.HALF_OPEN


def test_the_gauge_follows_every_change() -> None:
    registry, clock = CollectorRegistry(), Clock(1000.0)
    gauge = BreakerGauge(registry)
    policy = BreakerPolicy(min_requests=1, probes=1)
    breaker = CircuitBreaker("user", policy, clock=clock, on_change=gauge.of("user"))

    def value() -> float | None:
        return registry.get_sample_value("circuit_breaker_state", {"upstream": "user"})

    assert value() == 0
    fail(breaker)
    assert value() == 2
    clock.now += 30.0
    call(breaker)
    assert value() == 0
    fail(breaker)
    clock.now += 30.0
    assert breaker.state is State.HALF_OPEN
    assert value() == 1
