"""gRPC calls with the same components, through a proxy that breaks them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from devstack.testing.proxy import Proxy, proxy
from devstack.testing.wait import eventually
from lib.errors import AppError, Code
from lib.grpc.client import Client
from lib.grpc.pool import ChannelPool
from lib.pb.point.v1 import GetUserPointsRequest
from lib.pb.point.v1.rpc import PointServiceStub
from lib.resilience import BreakerPolicy, State, Upstream
from tests.lib.grpc.serving import Scripted, scripted

POLICY = BreakerPolicy(open_seconds=0.3, probes=1)


@pytest.fixture
async def chaos() -> AsyncIterator[Proxy]:
    async with scripted(Scripted()) as address:
        host, _, port = address.rpartition(":")
        async with proxy(host, int(port)) as running:
            yield running


@pytest.fixture
def upstream() -> Upstream:
    return Upstream("point", POLICY)


@pytest.fixture
async def stub(chaos: Proxy, upstream: Upstream) -> AsyncIterator[PointServiceStub]:
    pool = ChannelPool(f"127.0.0.1:{chaos.port}", size=2)
    yield PointServiceStub(Client(pool, upstream))
    await pool.close()


@pytest.mark.parametrize("trouble", ["stalled", "garbled", "refusing"])
async def test_a_broken_upstream_opens_its_circuit_and_is_found_again(
    stub: PointServiceStub, upstream: Upstream, chaos: Proxy, trouble: str
) -> None:
    async def ask(seconds: float = 0.3) -> int:
        request = GetUserPointsRequest(user_id="anybody")
        return (await stub.get_user_points(request, seconds=seconds)).points

    assert await ask(30) == 5
    setattr(chaos, trouble, True)
    chaos.cut()
    seen: set[Code] = set()
    while Code.CIRCUIT_OPEN not in seen:
        with pytest.raises(AppError) as failed:
            async with asyncio.timeout(20):
                await ask()
        seen.add(failed.value.code)
    assert "circuit open" in failed.value.message
    assert seen <= {Code.SERVICE_UNAVAILABLE, Code.DEADLINE_EXCEEDED, Code.CIRCUIT_OPEN}
    chaos.heal()
    chaos.cut()

    async def is_closed() -> bool:
        with suppress(AppError):
            await ask(5.0)
        return upstream.breaker.state is State.CLOSED

    await eventually(is_closed)
    assert await ask(30) == 5
