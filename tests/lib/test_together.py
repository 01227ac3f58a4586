"""Several tasks at the same time."""

from __future__ import annotations

import asyncio

import pytest

from lib.errors import AppError, Code
from lib.together import together


async def test_the_first_failure_cancels_the_rest_and_is_raised_as_itself() -> None:
    cancelled = asyncio.Event()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def failing() -> None:
        raise AppError(Code.SERVICE_UNAVAILABLE, "away")

    async def both() -> None:
        async with together() as group:
            group.create_task(endless())
            group.create_task(failing())

    with pytest.raises(AppError, match="away"):
        await both()
    assert cancelled.is_set()


async def test_what_all_of_them_return_is_there_at_the_end() -> None:
    async with together() as group:
        tasks = [group.create_task(asyncio.sleep(0, number)) for number in range(3)]
    assert [task.result() for task in tasks] == [0, 1, 2]
