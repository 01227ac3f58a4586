"""The caller's view of a typed stub: messages, the server's errors, deadlines and streams."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from devstack.testing.wait import eventually
from lib import context
from lib.errors import AppError, Code
from lib.grpc.client import Client
from lib.grpc.pool import ChannelPool
from lib.pb.point.v1 import GetUserPointsRequest, ListUserPointsRequest, StreamUserLedgerRequest
from lib.pb.point.v1.rpc import GET_USER_POINTS, PointServiceStub
from lib.resilience import BreakerPolicy, Upstream
from tests.clock import advance
from tests.lib.grpc.serving import CONFLICT, Scripted, scripted

# A circuit that never opens: these tests are about single calls.
PATIENT = BreakerPolicy(min_requests=1_000)


@asynccontextmanager
async def stub_of(address: str, *, size: int = 2) -> AsyncIterator[PointServiceStub]:
    pool = ChannelPool(address, size=size)
    try:
        yield PointServiceStub(Client(pool, Upstream("point", PATIENT)))
    finally:
        await pool.close()


async def test_calls_to_a_name_with_two_addresses_are_divided_among_both() -> None:
    one, other = Scripted(), Scripted()
    async with (
        scripted(one) as first,
        scripted(other) as second,
        stub_of(f"ipv4:{first},{second}", size=1) as stub,
    ):

        async def both_were_asked() -> bool:
            await stub.get_user_points(GetUserPointsRequest(user_id="ann"), seconds=30)
            return bool(one.asked and other.asked)

        await eventually(both_were_asked)  # the second connection may be later
        asked = len(one.asked), len(other.asked)
        for _ in range(20):
            await stub.get_user_points(GetUserPointsRequest(user_id="ann"), seconds=30)
        assert len(one.asked) >= asked[0] + 5
        assert len(other.asked) >= asked[1] + 5


@pytest.fixture
async def server() -> Scripted:
    return Scripted()


@pytest.fixture
async def stub(server: Scripted) -> AsyncIterator[PointServiceStub]:
    async with scripted(server) as address, stub_of(address) as stub:
        yield stub


async def ask(stub: PointServiceStub, user_id: str, seconds: float = 30.0) -> int:
    request = GetUserPointsRequest(user_id=user_id)
    return (await stub.get_user_points(request, seconds=seconds)).points


async def refusal(stub: PointServiceStub, user_id: str, seconds: float = 30.0) -> AppError:
    with pytest.raises(AppError) as raised:
        await ask(stub, user_id, seconds)
    return raised.value


async def test_a_call_brings_back_the_message(stub: PointServiceStub) -> None:
    assert await ask(stub, "anybody") == 5
    listed = await stub.list_user_points(ListUserPointsRequest(user_ids=["a", "b"]), seconds=30)
    assert listed.points == {"a": 5, "b": 5}


async def test_a_call_goes_to_the_service_and_to_no_proxy(
    stub: PointServiceStub, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("no_proxy", "no_grpc_proxy", "grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert await ask(stub, "anybody") == 5


async def test_the_error_the_server_raised_is_the_error_the_client_gets(
    stub: PointServiceStub,
) -> None:
    error = await refusal(stub, "conflict")
    assert (error.code, error.message) == (CONFLICT.code, CONFLICT.message)
    assert (error.details, error.headers) == (CONFLICT.details, CONFLICT.headers)


async def test_a_bug_of_the_server_is_opaque(stub: PointServiceStub) -> None:
    error = await refusal(stub, "bug")
    assert error.code is Code.INTERNAL_ERROR
    assert "secret" not in error.message
    assert error.details == ()


async def test_a_deadline_ends_the_call_on_both_sides(
    stub: PointServiceStub, server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = asyncio.create_task(refusal(stub, "slow", 50))
    await eventually(lambda: bool(server.asked))
    advance(monkeypatch, 50)
    assert (await refused).code is Code.DEADLINE_EXCEEDED
    await eventually(server.cancelled.is_set)


async def test_a_caller_that_leaves_cancels_the_work(
    stub: PointServiceStub, server: Scripted
) -> None:
    call = asyncio.create_task(ask(stub, "slow"))
    await eventually(lambda: bool(server.asked))
    call.cancel()
    await eventually(server.cancelled.is_set)
    with pytest.raises(asyncio.CancelledError):
        await call


async def test_the_server_limits_a_call_whose_caller_does_not() -> None:
    async with scripted(Scripted(), unary_seconds=0.2) as address, stub_of(address) as stub:
        error = await refusal(stub, "slow", 30)
    assert (error.code, error.message) == (Code.DEADLINE_EXCEEDED, "the call took too long")


async def test_request_id_and_remaining_time_travel_along(
    stub: PointServiceStub, server: Scripted
) -> None:
    context.request_id.set("request-0001")
    context.deadline.set(asyncio.get_running_loop().time() + 30.0)
    try:
        await ask(stub, "anybody", seconds=60)
        context.deadline.set(asyncio.get_running_loop().time() - 1.0)
        late = await refusal(stub, "anybody", seconds=60)
    finally:
        context.request_id.set("")
        context.deadline.set(None)
    assert server.request_ids == ["request-0001"]
    # The wire rounds up to hundredths.
    assert 10.0 < server.seconds_left[0] < 30.1
    assert late.code is Code.DEADLINE_EXCEEDED


async def test_a_stream_yields_until_its_end(stub: PointServiceStub) -> None:
    request = StreamUserLedgerRequest(user_id="anybody")
    entries = await stub.stream_user_ledger(request, seconds=30, limit=9)
    assert [entry.amount for entry in entries] == [0, 1, 2]


@pytest.mark.parametrize(
    ("user_id", "seconds", "code"),
    [("conflict", 30.0, Code.CONFLICT), ("slow", 0.3, Code.DEADLINE_EXCEEDED)],
)
async def test_a_stream_that_does_not_come_to_its_end_in_time_is_an_error(
    stub: PointServiceStub, user_id: str, seconds: float, code: Code
) -> None:
    request = StreamUserLedgerRequest(user_id=user_id)
    with pytest.raises(AppError) as raised:
        await stub.stream_user_ledger(request, seconds=seconds, limit=9)
    assert raised.value.code is code


async def test_a_stream_ends_on_the_server_behind_the_last_message_wanted(
    stub: PointServiceStub, server: Scripted
) -> None:
    request = StreamUserLedgerRequest(user_id="slow")
    entries = await stub.stream_user_ledger(request, seconds=60, limit=2)
    assert [entry.amount for entry in entries] == [0, 1]
    await eventually(server.cancelled.is_set)


async def test_waiting_for_a_channel_ends_with_the_callers_deadline(server: Scripted) -> None:
    async with scripted(server) as address, stub_of(address, size=1) as stub:
        busy = asyncio.create_task(ask(stub, "slow", 60))
        await eventually(lambda: bool(server.asked))
        assert (await refusal(stub, "anybody", 0.05)).code is Code.DEADLINE_EXCEEDED
        busy.cancel()
    assert server.asked == ["slow"]


async def test_nobody_listening_is_unavailable_without_saying_where() -> None:
    async with stub_of("127.0.0.1:1") as stub:
        error = await refusal(stub, "anybody", 30)
    assert (error.code, error.message) == (Code.SERVICE_UNAVAILABLE, "point is not available")


async def test_an_idempotent_call_is_repeated_while_the_server_is_unavailable() -> None:
    server = Scripted(fail_first=2)
    async with scripted(server) as address, stub_of(address) as stub:
        assert await ask(stub, "anybody") == 5
    assert len(server.asked) == 3


async def test_a_call_not_known_to_be_idempotent_is_made_once() -> None:
    server = Scripted(fail_first=1)
    once = replace(GET_USER_POINTS, idempotent=False)
    async with scripted(server) as address, stub_of(address) as stub:
        with pytest.raises(AppError):
            await stub._client.unary(once, GetUserPointsRequest(user_id="a"), seconds=30)
    assert len(server.asked) == 1


async def test_the_same_stub_works_again_after_the_server_came_back() -> None:
    async with scripted(Scripted()) as address:
        port = int(address.rpartition(":")[2])
        pool = ChannelPool(address, size=1)
        stub = PointServiceStub(Client(pool, Upstream("point", PATIENT)))
        assert await ask(stub, "anybody") == 5
    assert (await refusal(stub, "anybody", 30)).code is Code.SERVICE_UNAVAILABLE
    async with scripted(Scripted(), port=port), asyncio.timeout(60):
        while True:
            try:
                assert await ask(stub, "anybody", 30) == 5
                break
            except AppError as error:
                assert error.code is Code.SERVICE_UNAVAILABLE  # noqa: PT017 - not yet reconnected
                await asyncio.sleep(0.05)
    await pool.close()
