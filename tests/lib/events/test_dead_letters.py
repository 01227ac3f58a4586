"""The command that shows dead letters and puts them back into their stream."""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

import pytest
from redis.asyncio import Redis

from devstack.testing.nats import TestNats
from lib.events import dead_letters
from lib.events.event import dead_letters_of, stream_of
from lib.ids import new_id
from lib.nats import client

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
async def topic(redis: Redis) -> str:
    """A topic with a dead letter that has a reason, and an entry that is not an event."""
    name = f"letters-{new_id()}"
    await redis.xadd(
        dead_letters_of(name),
        {"id": "e-1", "kind": "order.placed", "key": "o-1", "dead_group": "point",
         "dead_reason": "ValueError('never\x1b[31m')"},
    )  # fmt: skip
    await redis.xadd(
        dead_letters_of(name), {"x": "1", "dead_group": "point", "dead_reason": "no event"}
    )
    return name


async def run(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in this process, in its own event loop."""
    out, error = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, {"EVENTS_URL" if url.startswith("nats") else "REDIS_URL": url}),
        redirect_stdout(out),
        redirect_stderr(error),
    ):
        code = await asyncio.to_thread(dead_letters.main, list(arguments))
    return subprocess.CompletedProcess(arguments, code, out.getvalue(), error.getvalue())


def started(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lib.events.dead_letters", *arguments],
        env={"REDIS_URL": url, "PYTHONPATH": str(ROOT)}, cwd="/",
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


async def test_letters_are_shown_with_their_reasons_and_stay(redis, redis_url, topic) -> None:
    done = await run(redis_url, topic)
    assert done.returncode == 0, done.stderr
    first, second, count = done.stdout.splitlines()
    assert first.split("  ")[:4] == ["e-1", "order.placed", "o-1", "point"]
    assert first.endswith("never\\x1b[31m')")  # as text, not as a colour of the terminal
    assert second == "?  ?  ?  point  no event"
    assert count == f"2 dead letters of {topic}"
    assert await redis.xlen(dead_letters_of(topic)) == 2


async def test_letters_go_back_into_their_stream(redis, redis_url, topic) -> None:
    done = await run(redis_url, topic, "--redrive")
    assert done.stdout == f"2 events of {topic} were put back into their stream\n"
    assert await redis.xlen(dead_letters_of(topic)) == 0
    ((_, first), _) = await redis.xrange(stream_of(topic))
    assert first.pop(b"for_group") == b"point"
    assert first == {b"id": b"e-1", b"kind": b"order.placed", b"key": b"o-1"}


async def test_letters_that_come_back_at_once_are_put_back_once(redis, redis_url, topic) -> None:
    async def bury_again() -> None:
        after = b"0"
        while True:
            for _, entries in await redis.xread({stream_of(topic): after}, block=100):
                for entry_id, fields in entries:
                    await redis.xadd(dead_letters_of(topic), {**fields, b"dead_group": b"point"})
                    after = entry_id

    burying = asyncio.create_task(bury_again())
    try:
        done = await run(redis_url, topic, "--redrive")
    finally:
        burying.cancel()
    assert done.stdout == f"2 events of {topic} were put back into their stream\n"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://127.0.0.1:9/0", "127.0.0.1:9"),
        ("nats://127.0.0.1:9", "127.0.0.1"),
        ("", "REDIS_URL"),
        ("x", "REDIS_URL"),
    ],
)
async def test_a_broker_that_is_not_there_is_told_in_a_sentence(
    url: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "_CONNECT_SECONDS", 1.0)  # it will not be there later, either
    # As people call it, where there is one to be told.
    done = started(url, "orders") if url == "x" else await run(url, "orders")
    assert done.returncode == 1
    assert said in done.stderr
    assert "Traceback" not in done.stderr


async def test_letters_of_nats_are_shown(nats_server: TestNats) -> None:
    done = await run(nats_server.url, "nothing-here")
    assert (done.returncode, done.stdout) == (0, "0 dead letters of nothing-here\n"), done.stderr
