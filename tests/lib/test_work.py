"""Background work and calls to other services are measured."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from devstack.testing.wait import eventually
from lib.errors import AppError, Code
from lib.events.background import repeating
from lib.resilience import Upstream
from lib.work import steps_of_loops


async def test_a_background_loop_says_how_long_its_steps_take_and_how_many_fail() -> None:
    registry, gate, steps = CollectorRegistry(), asyncio.Event(), 0

    async def step() -> bool:
        nonlocal steps
        steps += 1
        if steps == 1:
            raise ValueError("once")
        await gate.wait()
        return False

    def value(name: str) -> float | None:
        return registry.get_sample_value(f"background_step_{name}", {"loop": "sweep"})

    async with repeating(step, name="sweep", idle_seconds=60, registry=registry):
        await eventually(lambda: steps == 2)
        assert (value("in_progress"), value("failures_total")) == (1, 1)
        gate.set()
        await eventually(lambda: value("seconds_count") == 2)
    assert (value("in_progress"), value("failures_total")) == (0, 1)
    assert steps_of_loops(registry) is steps_of_loops(registry)


async def test_calls_to_an_upstream_are_counted_once_however_often_they_are_tried() -> None:
    registry, tried = CollectorRegistry(), 0
    upstream = Upstream("shop", registry=registry)

    async def fail(_: object) -> None:
        nonlocal tried
        tried += 1
        raise AppError(Code.SERVICE_UNAVAILABLE, "away")

    with pytest.raises(AppError):
        await upstream.call(fail, seconds=30, idempotent=True)
    values = [
        registry.get_sample_value(f"upstream_call_{name}", {"upstream": "shop"})
        for name in ("seconds_count", "failures_total", "in_progress")
    ]
    assert (values, tried > 1) == ([1, 1, 0], True)
