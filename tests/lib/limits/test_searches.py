"""Only a few text searches run at the same time, for any number of callers."""

from __future__ import annotations

import asyncio

from devstack.testing.wait import DEADLINE, eventually
from lib.errors import AppError, Code
from lib.limits.searches import AT_A_TIME, searching
from lib.resource.lists import PageQuery, page_of


async def test_searches_take_few_places_and_lists_without_one_take_none() -> None:
    under_way, gate, refused = 0, asyncio.Event(), []

    async def rows(**_: object) -> tuple[list[str], int]:
        nonlocal under_way
        under_way += 1
        await gate.wait()
        return ["x"], 1

    async def search(pattern: str) -> None:
        try:
            await page_of(PageQuery(), rows, search=pattern)
        except AppError as error:
            refused.append((error.code, error.headers))

    asked = [asyncio.create_task(search("%x%")) for _ in range(40)]
    await eventually(lambda: len(refused) >= 40 - AT_A_TIME - 20)
    assert under_way == AT_A_TIME
    await asyncio.gather(*(asyncio.wait_for(_list(), DEADLINE) for _ in range(40)))
    gate.set()
    await asyncio.gather(*asked)
    assert {code for code, _ in refused} == {Code.SERVICE_UNAVAILABLE}
    assert {headers["Retry-After"] for _, headers in refused} == {"1"}
    async with searching("%x%"):  # places are given back
        pass


async def _list() -> None:
    await page_of(PageQuery(), _one)


async def _one(**_: object) -> tuple[list[str], int]:
    return ["x"], 1
