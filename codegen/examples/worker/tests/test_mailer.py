"""The worker, on a real queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from mailer.store import mail
from mailer.worker import run, send_due

LETTERS = [mail.AddMailParams(f"{number}@example.org", "hello") for number in range(25)]


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[Any]:
    async with asyncpg.create_pool(database_url, min_size=1, max_size=4) as pool:
        yield pool


async def test_workers_side_by_side_send_each_mail_once(pool: Any) -> None:
    assert await mail.add_mail(pool, LETTERS) == 25
    sent: list[str] = []
    stop = asyncio.Event()

    async def send(recipient: str, body: str) -> None:
        sent.append(recipient)
        await asyncio.sleep(0)
        if len(sent) == len(LETTERS):
            stop.set()

    async with asyncio.timeout(20):
        await asyncio.gather(*(run(pool, send, stop) for _ in range(3)))
    assert sorted(sent) == sorted(letter.recipient for letter in LETTERS)
    assert await mail.count_mail(pool) == mail.CountMailRow(sent=25, failed=0)


async def test_a_failed_mail_is_not_retried_at_once(pool: Any) -> None:
    await mail.add_mail(pool, LETTERS[:2])

    async def send(recipient: str, body: str) -> None:
        if recipient.startswith("1"):
            raise ConnectionRefusedError("nobody answers")

    async with pool.acquire() as connection, connection.transaction():
        assert await send_due(connection, send) == 2
    assert await mail.count_mail(pool) == mail.CountMailRow(sent=1, failed=1)
    async with pool.acquire() as connection, connection.transaction():
        assert await send_due(connection, send) == 0
