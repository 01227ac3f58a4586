"""If the point service dies, hangs, garbles or is slow, the list still responds in time."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from devstack.embedded.ports import free_port
from devstack.testing.auth import running as publishing
from devstack.testing.proxy import Proxy, proxy
from devstack.testing.wait import eventually
from tests.conftest import NewDatabase
from tests.services.running import STAFF, running_point, running_user

BUDGET = 0.5
CRAWL = 30.0


@dataclass
class Setting:
    """The user service, in front of a point service behind a proxy."""

    base: str
    proxy: Proxy
    session: aiohttp.ClientSession

    async def list(self) -> Any:
        async with self.session.get(f"{self.base}/api/v1/users") as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def metric(self, name: str) -> float:
        async with self.session.get(f"{self.base}/metrics") as response:
            text = await response.text()
        return float(next(line for line in text.splitlines() if line.startswith(name)).split()[1])


@pytest.fixture
async def setting(new_database: NewDatabase) -> AsyncIterator[Setting]:
    user, point = await new_database("user", demo=True), await new_database("point", demo=True)
    async with (
        running_point(point) as running,
        proxy("127.0.0.1", running.grpc_port) as between,
        running_user(
            user,
            f"127.0.0.1:{between.port}",
            points_seconds=BUDGET,
            points_pause_seconds=0.3,
        ) as base,
        aiohttp.ClientSession(headers=STAFF) as session,
    ):
        yield Setting(base, between, session)


def has_points(body: Any) -> bool:
    points = [user["points"] for user in body["data"]["users"]]
    return points == [23, 43, 28, 83, 13, 33, 93, 13, 73]


def is_degraded(body: Any) -> bool:
    points = {user["points"] for user in body["data"]["users"]}
    return points == {None} and body["meta"].get("degraded") == ["point"]


async def until_points_return(setting: Setting) -> None:
    async def have_returned() -> bool:
        body = await setting.list()
        if has_points(body):
            assert "degraded" not in body["meta"]
            return True
        assert is_degraded(body)
        return False

    await eventually(have_returned)


def refuse(between: Proxy) -> None:
    between.refusing = True
    between.cut()


def stall(between: Proxy) -> None:
    between.stalled = True


def garble(between: Proxy) -> None:
    between.garbled = True


def crawl(between: Proxy) -> None:
    between.delay = CRAWL


@pytest.mark.parametrize("break_", [refuse, stall, garble, crawl])
async def test_the_list_answers_in_time_without_points_and_recovers_by_itself(
    setting: Setting, break_: Callable[[Proxy], None]
) -> None:
    await until_points_return(setting)
    break_(setting.proxy)
    for _ in range(5):
        began = time.monotonic()
        body = await setting.list()
        assert is_degraded(body)
        assert body["data"]["statistics"]["count"] == body["meta"]["total_count"] == 9
        assert time.monotonic() - began < CRAWL / 2
    setting.proxy.heal()
    setting.proxy.cut()
    await until_points_return(setting)


async def test_a_dead_point_service_does_not_cost_every_request_the_whole_budget(
    setting: Setting,
) -> None:
    stall(setting.proxy)
    began = time.monotonic()

    async def opened() -> bool:
        assert is_degraded(await setting.list())
        return await setting.metric('circuit_breaker_state{upstream="point"}') == 2

    await eventually(opened)  # it may just be asking again
    assert time.monotonic() - began > BUDGET

    async def costs_less() -> bool:
        asked = time.monotonic()
        assert is_degraded(await setting.list())
        return time.monotonic() - asked < BUDGET

    await eventually(costs_less)  # without a circuit none does


async def test_a_point_service_that_is_there_later_is_found(new_database: NewDatabase) -> None:
    user, point = await new_database("user", demo=True), await new_database("point", demo=True)
    port = free_port()
    async with (
        running_user(user, f"127.0.0.1:{port}", points_pause_seconds=0.2) as base,
        aiohttp.ClientSession(headers=STAFF) as session,
    ):
        setting = Setting(base, Proxy("127.0.0.1", port), session)
        assert is_degraded(await setting.list())
        async with running_point(point, grpc_port=port):
            await until_points_return(setting)
        assert is_degraded(await setting.list())
        async with running_point(point, grpc_port=port):
            await until_points_return(setting)


async def test_a_point_service_that_believes_somebody_else_or_nobody_costs_points_only(
    new_database: NewDatabase,
) -> None:
    user, point = await new_database("user", demo=True), await new_database("point", demo=True)
    with publishing() as stranger:
        for jwks_url in (stranger.url, f"http://127.0.0.1:{free_port()}/jwks.json"):
            async with (
                running_point(point, auth_jwks_url=jwks_url) as points,
                running_user(user, points.grpc_address) as base,
                aiohttp.ClientSession(headers=STAFF) as session,
            ):
                setting = Setting(base, Proxy("127.0.0.1", points.grpc_port), session)
                assert is_degraded(await setting.list())
