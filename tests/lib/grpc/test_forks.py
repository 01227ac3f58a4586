"""Processes that are started while calls are in progress."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import os
import subprocess

import grpc.aio

from tests.lib.grpc.serving import Scripted, scripted


async def test_children_are_started_while_calls_are_under_way_and_none_crashes() -> None:
    async def call() -> None:
        while True:
            channel = grpc.aio.insecure_channel(address)
            with contextlib.suppress(grpc.aio.AioRpcError):
                await channel.unary_unary("/point.v1.PointService/Nothing")(b"")
            await channel.close()

    async with scripted(Scripted()) as address:
        calls = [asyncio.create_task(call()) for _ in range(4)]
        ended: collections.Counter[int] = collections.Counter()
        for _ in range(100):
            # A change of account, as of NGINX and the databases, takes a fork, not a vfork.
            child = subprocess.Popen(["/bin/true"], group=os.getgid())
            while child.poll() is None:
                await asyncio.sleep(0)
            ended[child.returncode] += 1
        for one in calls:
            one.cancel()
    assert ended == {0: 100}
