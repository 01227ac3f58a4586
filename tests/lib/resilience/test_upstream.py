"""Budget, bulkhead and retry around a call, alone and together."""

from __future__ import annotations

import asyncio
import time

import pytest

from lib import context
from lib.errors import AppError, Code
from lib.resilience import (
    BreakerPolicy,
    Bulkhead,
    RetryPolicy,
    State,
    Upstream,
    budget,
    within,
)
from lib.resilience.deadline import HEADER, read_header, remaining, write_header

DOWN = AppError(Code.SERVICE_UNAVAILABLE, "down")
FAST = RetryPolicy(attempts=3, first=0.001, longest=0.002, jitter=0.001)


class Flaky:
    """Fail once for each error in the list, then respond."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.calls = 0

    async def __call__(self, _: object = None) -> str:
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)
        return "answer"


async def for_ever(_: object) -> None:
    await asyncio.Event().wait()


def upstream(**bulkhead: float) -> Upstream:
    places = Bulkhead("user", **bulkhead)  # type: ignore[arg-type] # a table of numbers
    return Upstream("user", bulkhead=places, retry=FAST)


@pytest.mark.parametrize(
    ("errors", "calls", "outcome"),
    [
        ((), 1, "answer"),
        ((DOWN,), 2, "answer"),
        ((ConnectionResetError(), TimeoutError()), 3, "answer"),
        ((DOWN, DOWN, DOWN), 3, Code.SERVICE_UNAVAILABLE),
        ((AppError(Code.NOT_FOUND, "no"),), 1, Code.NOT_FOUND),
        ((AppError(Code.CIRCUIT_OPEN, "open"),), 1, Code.CIRCUIT_OPEN),
        ((AppError(Code.INTERNAL_ERROR, "half done"),), 1, Code.INTERNAL_ERROR),
    ],
)
async def test_only_what_may_pass_is_tried_again(
    errors: tuple[Exception, ...], calls: int, outcome: str | Code
) -> None:
    work = Flaky(*errors)
    try:
        result: str | Code = await upstream().call(work, seconds=30, idempotent=True)
    except AppError as error:
        result = error.code
    assert (work.calls, result) == (calls, outcome)


async def test_a_call_that_is_not_idempotent_is_never_repeated() -> None:
    work = Flaky(DOWN)
    with pytest.raises(AppError):
        await upstream().call(work, seconds=1.0, idempotent=False)
    assert work.calls == 1


async def test_a_wait_longer_than_the_budget_is_not_begun() -> None:
    work = Flaky(AppError(Code.SERVICE_UNAVAILABLE, "down", headers={"Retry-After": "90"}))
    began = time.monotonic()
    with pytest.raises(AppError):
        await upstream().call(work, seconds=60, idempotent=True)
    assert work.calls == 1
    assert time.monotonic() - began < 30


async def test_an_upstream_that_hangs_opens_its_circuit() -> None:
    slow = Upstream("user", BreakerPolicy(min_requests=3), retry=FAST)
    for _ in range(3):
        with pytest.raises(AppError) as late:
            await slow.call(for_ever, seconds=0.02, idempotent=True)
        assert late.value.code is Code.DEADLINE_EXCEEDED
    assert slow.breaker.state is State.OPEN


async def test_a_hanging_upstream_opens_its_circuit_when_the_request_is_what_runs_out() -> None:
    slow = Upstream("user", retry=FAST)
    for _ in range(3):
        with pytest.raises(AppError):
            # Half of what it would wait is time enough: a stall does not take that much.
            async with within(0.9):
                await slow.call(for_ever, seconds=1.0, idempotent=True)
    assert slow.breaker.state is State.OPEN


async def test_a_caller_who_leaves_it_no_time_opens_no_circuit() -> None:
    hurried = Upstream("user", retry=FAST)
    for _ in range(10):
        with pytest.raises(AppError):
            async with within(0.002):
                await hurried.call(for_ever, seconds=5.0, idempotent=True)
    assert hurried.breaker.state is State.CLOSED


async def test_the_budget_of_the_request_limits_what_is_called_inside() -> None:
    with budget(0.05):
        assert remaining(10.0) <= 0.05
        with budget(10.0):
            assert remaining(10.0) <= 0.05
    assert remaining(10.0) == 10.0


async def test_nothing_is_started_when_the_time_is_up() -> None:
    context.deadline.set(asyncio.get_running_loop().time() - 1)
    work = Flaky()
    with pytest.raises(AppError) as late:
        await upstream().call(work, seconds=1.0, idempotent=True)
    assert (late.value.code, work.calls) == (Code.DEADLINE_EXCEEDED, 0)


async def test_a_time_out_of_the_work_itself_keeps_its_name() -> None:
    with pytest.raises(TimeoutError):
        async with within(5.0):
            raise TimeoutError


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("250", 0.25),
        ("0", 0.0),
        ("99999", 2.0),
        ("", 2.0),
        ("-5", 2.0),
        ("1e3", 2.0),
        ("٣", 2.0),
        ("9" * 400, 2.0),
        ("nan", 2.0),
    ],
)
def test_the_callers_deadline_only_ever_shortens(header: str, seconds: float) -> None:
    assert read_header({HEADER: header}, limit=2.0) == seconds


async def test_an_upstream_is_told_how_long_we_wait() -> None:
    headers: dict[str, str] = {}
    with budget(50):
        write_header(headers, 300.0)
    assert 40_000 <= int(headers[HEADER]) <= 50_000


async def test_a_full_bulkhead_refuses_and_an_empty_place_is_used_again() -> None:
    release = asyncio.Event()

    async def waits(_: object) -> bool:
        return await release.wait()

    target = upstream(limit=2, queue=1, wait_seconds=0.03)
    running = [
        asyncio.create_task(target.call(waits, seconds=30, idempotent=False)) for _ in range(2)
    ]
    await asyncio.sleep(0)
    waiting = asyncio.create_task(target.call(waits, seconds=30, idempotent=False))
    await asyncio.sleep(0)
    with pytest.raises(AppError, match="too many calls"):  # the queue is full: at once
        await target.call(waits, seconds=30, idempotent=False)
    with pytest.raises(AppError, match="too many calls"):  # the wait is over
        await waiting
    release.set()
    assert await asyncio.gather(*running) == [True, True]
    assert await target.call(waits, seconds=30, idempotent=False) is True


async def test_a_cancelled_waiter_does_not_lose_a_place() -> None:
    release = asyncio.Event()

    async def waits(_: object) -> bool:
        return await release.wait()

    target = upstream(limit=1, queue=5, wait_seconds=5.0)
    first = asyncio.create_task(target.call(waits, seconds=30, idempotent=False))
    await asyncio.sleep(0)
    waiters = [
        asyncio.create_task(target.call(waits, seconds=30, idempotent=False)) for _ in range(4)
    ]
    await asyncio.sleep(0)
    for waiter in waiters:
        waiter.cancel()
    release.set()
    await asyncio.gather(first, *waiters, return_exceptions=True)
    assert await target.call(waits, seconds=30, idempotent=False) is True
