"""Callers during a call share the next call, and none of them waits for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from devstack.testing.wait import DEADLINE
from lib.coalesce import Coalesced
from lib.errors import AppError, Code


class Source:
    """Return the square of each key; a test releases the calls one by one."""

    def __init__(self) -> None:
        self.calls: list[Sequence[int]] = []
        self.let = asyncio.Semaphore(0)
        self.failing: Exception | None = None

    async def ask(self, keys: Sequence[int]) -> Mapping[int, int]:
        self.calls.append(keys)
        await self.let.acquire()
        if self.failing is not None:
            raise self.failing
        return {key: key * key for key in keys if key >= 0}


@pytest.fixture
def source() -> Source:
    return Source()


async def _all_wait() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_those_who_ask_meanwhile_share_the_next_call(source) -> None:
    squares = Coalesced(source.ask)
    asking = [asyncio.create_task(squares.find(n)) for n in (1, 2, 3, -4)]
    await _all_wait()
    assert source.calls == [[1]]
    source.let.release()
    source.let.release()
    assert await asyncio.gather(*asking) == [1, 4, 9, None]
    assert source.calls == [[1], [2, 3, -4]]
    source.let.release()
    assert await squares.find(5) == 25


async def test_a_call_is_for_no_more_than_it_may_be(source) -> None:
    squares = Coalesced(source.ask, most=2)
    asking = [asyncio.create_task(squares.find(n)) for n in range(6)]
    await _all_wait()
    for _ in range(6):
        source.let.release()
    assert await asyncio.gather(*asking) == [0, 1, 4, 9, 16, 25]
    assert source.calls == [[0], [1, 2], [3, 4], [5]]


async def test_a_failure_is_everybodys_and_the_next_call_is_made(source) -> None:
    squares = Coalesced(source.ask)
    first = asyncio.create_task(squares.find(1))
    await _all_wait()
    second = [asyncio.create_task(squares.find(n)) for n in (2, 3)]
    await _all_wait()
    source.let.release()
    assert await first == 1
    source.failing = AppError(Code.DEADLINE_EXCEEDED, "too late")
    source.let.release()
    for failed in second:
        with pytest.raises(AppError, match="too late"):
            await failed
    source.failing = None
    source.let.release()
    assert await squares.find(4) == 16


async def test_a_cancelled_caller_that_asked_for_others_fails_them(source) -> None:
    squares = Coalesced(source.ask)
    first = asyncio.create_task(squares.find(1))
    await _all_wait()
    second, third = (asyncio.create_task(squares.find(n)) for n in (2, 3))
    await _all_wait()
    source.let.release()
    assert await first == 1
    await _all_wait()
    fourth = asyncio.create_task(squares.find(4))
    await _all_wait()
    second.cancel()
    with pytest.raises(AppError) as refused:
        await third
    assert refused.value.code is Code.SERVICE_UNAVAILABLE
    source.let.release()
    assert await fourth == 16


@pytest.mark.parametrize("is_next", [False, True], ids=["waiting", "about to ask"])
async def test_a_cancelled_caller_is_passed_over(source, monkeypatch, is_next) -> None:
    squares = Coalesced(source.ask)
    first = asyncio.create_task(squares.find(1))
    await _all_wait()
    second, third = (asyncio.create_task(squares.find(n)) for n in (2, 3))
    await _all_wait()
    pass_on = squares._pass_on

    def and_cancel() -> None:
        pass_on()
        second.cancel()

    if is_next:
        monkeypatch.setattr(squares, "_pass_on", and_cancel)
    else:
        second.cancel()
    source.let.release()
    source.let.release()
    async with asyncio.timeout(DEADLINE):
        assert await first == 1
        assert await third == 9
        await asyncio.wait([second])
    assert second.cancelled()
