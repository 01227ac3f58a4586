"""The server's duties: health, reflection, metrics, clear errors and a graceful end."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from itertools import product

import grpc
import grpc.aio
import pytest
import structlog
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from prometheus_client import CollectorRegistry

from devstack.testing.wait import eventually
from lib.errors import AppError, Code, StartError
from lib.grpc.client import Client
from lib.grpc.pool import ChannelPool
from lib.pb.point.v1 import GetUserPointsRequest, StreamUserLedgerRequest
from lib.pb.point.v1.rpc import PointServiceStub
from lib.resilience import BreakerPolicy, RetryPolicy, Upstream
from tests.lib.grpc.serving import Scripted, scripted

SERVICE = "point.v1.PointService"


@pytest.mark.parametrize("name", ["", SERVICE])
async def test_the_standard_health_service_answers(name: str) -> None:
    async with scripted(Scripted()) as address, grpc.aio.insecure_channel(address) as channel:
        check = health_pb2_grpc.HealthStub(channel).Check
        reply = await check(health_pb2.HealthCheckRequest(service=name))
    assert reply.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_ping_asks_the_health_service() -> None:
    async with scripted(Scripted()) as address:
        pool = ChannelPool(address, size=1)
        await Client(pool, Upstream("point")).ping(seconds=30)
    with pytest.raises(AppError) as raised:
        await Client(pool, Upstream("point")).ping(seconds=30)
    assert raised.value.code is Code.SERVICE_UNAVAILABLE
    await pool.close()


async def reflect(address: str, **request: str) -> reflection_pb2.ServerReflectionResponse:
    async with grpc.aio.insecure_channel(address) as channel:
        call = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(
            iter([reflection_pb2.ServerReflectionRequest(**request)])
        )
        return await call.read()


async def test_reflection_lists_the_services_and_describes_their_messages() -> None:
    async with scripted(Scripted()) as address:
        listed = await reflect(address, list_services="")
        names = {service.name for service in listed.list_services_response.service}
        found = await reflect(address, file_containing_symbol=SERVICE)
    assert {SERVICE, "grpc.health.v1.Health"} <= names
    files = found.file_descriptor_response.file_descriptor_proto
    described = [FileDescriptorProto.FromString(data) for data in files]
    methods = [m.name for f in described for s in f.service for m in s.method]
    assert "StreamUserLedger" in methods


async def test_calls_are_counted_by_method_and_code() -> None:
    registry = CollectorRegistry()
    async with scripted(Scripted(), registry=registry) as address:
        pool = ChannelPool(address, size=1)
        stub = PointServiceStub(Client(pool, Upstream("point")))
        for user_id in ("anybody", "anybody", "conflict", "bug"):
            try:
                await stub.get_user_points(GetUserPointsRequest(user_id=user_id), seconds=30)
            except AppError:
                continue
        request = StreamUserLedgerRequest(user_id="x")
        entries = await stub.stream_user_ledger(request, seconds=30, limit=9)
        assert [entry.amount for entry in entries] == [0, 1, 2]
        await pool.close()

    def value(name: str, method: str, kind: str, **more: str) -> float | None:
        labels = {"grpc_type": kind, "grpc_service": SERVICE, "grpc_method": method, **more}
        return registry.get_sample_value(name, labels)

    unary = ("GetUserPoints", "unary")
    assert value("grpc_server_started_total", *unary) == 4
    assert value("grpc_server_handled_total", *unary, grpc_code="OK") == 2
    assert value("grpc_server_handled_total", *unary, grpc_code="Aborted") == 1
    assert value("grpc_server_handled_total", *unary, grpc_code="Internal") == 1
    assert value("grpc_server_msg_received_total", *unary) == 4
    assert value("grpc_server_msg_sent_total", *unary) == 2
    assert value("grpc_server_handling_seconds_count", *unary) == 4
    streamed = ("StreamUserLedger", "server_stream")
    assert value("grpc_server_msg_sent_total", *streamed) == 3
    assert value("grpc_server_handled_total", *streamed, grpc_code="OK") == 1


NO_MESSAGES = {
    "bytes that are no text": b"\x0a\x02\xff\xff",
    "a number for a text": b"\x08\x01",
    "a group for a text": b"\x0b\x0c",
    "a type that there is not": b"\x0f",
    "a thousand groups": b"\x0b" * 1000,
}


async def test_bytes_that_are_no_message_are_an_invalid_argument() -> None:
    async with scripted(Scripted()) as address, grpc.aio.insecure_channel(address) as channel:
        for method, (what, data) in product(
            ("GetUserPoints", "ListUserPoints"), NO_MESSAGES.items()
        ):
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await channel.unary_unary(f"/{SERVICE}/{method}")(data)
            assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT, (method, what)


async def test_an_unknown_method_is_unimplemented() -> None:
    async with scripted(Scripted()) as address, grpc.aio.insecure_channel(address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await channel.unary_unary(f"/{SERVICE}/Nothing")(b"")
    assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_busy_port_is_one_sentence() -> None:
    async with scripted(Scripted()) as address:
        port = int(address.rpartition(":")[2])
        with pytest.raises(StartError, match=f"^port {port} on 127.0.0.1 is in use"):
            async with scripted(Scripted(), port=port):
                pytest.fail("two servers on one port")


async def test_stopping_lets_a_running_call_finish_and_waits_no_longer_than_the_limit() -> None:
    server = Scripted()
    loop = asyncio.get_running_loop()
    async with scripted(server, drain_seconds=0.5) as address:
        pool = ChannelPool(address, size=1)
        stub = PointServiceStub(Client(pool, Upstream("point")))
        hanging = asyncio.create_task(
            stub.get_user_points(GetUserPointsRequest(user_id="slow"), seconds=60)
        )
        await eventually(lambda: bool(server.asked))
        began = loop.time()
    assert 0.4 < loop.time() - began < 20
    with pytest.raises(AppError):
        await hanging
    await pool.close()


@pytest.mark.parametrize("again", range(5))
async def test_whoever_calls_while_it_stops_hears_that_it_is_away_and_may_ask_again(
    again: int,
) -> None:
    server = Scripted()
    # One attempt a call and no pause after failures: what a caller is told the first time.
    once = Upstream("point", BreakerPolicy(min_requests=10_000), retry=RetryPolicy(attempts=1))

    async def heard(stub: PointServiceStub) -> Code:
        while True:
            try:
                await stub.get_user_points(GetUserPointsRequest(user_id="anybody"), seconds=30)
            except AppError as error:
                return error.code

    async with scripted(server) as address:
        pool = ChannelPool(address, size=8)
        stubs = [PointServiceStub(Client(pool, once)) for _ in range(8)]
        callers = asyncio.gather(*(heard(stub) for stub in stubs))
        await eventually(lambda: len(server.asked) > 50)
    assert await callers == [Code.SERVICE_UNAVAILABLE] * 8
    await pool.close()


@pytest.mark.parametrize(
    ("user_id", "level", "status"),
    [
        ("anybody", "info", "OK"),
        ("conflict", "warning", "ABORTED"),
        ("down", "error", "UNAVAILABLE"),
        ("bug", "error", "INTERNAL"),
    ],
)
async def test_each_call_writes_one_line_at_the_level_of_its_outcome(
    user_id: str, level: str, status: str
) -> None:
    with structlog.testing.capture_logs() as lines:
        async with scripted(Scripted()) as address:
            pool = ChannelPool(address, size=1)
            once = Upstream("point", retry=RetryPolicy(attempts=1))  # one call is one line
            stub = PointServiceStub(Client(pool, once))
            with suppress(AppError):
                await stub.get_user_points(GetUserPointsRequest(user_id=user_id), seconds=30)
            await pool.close()
    (line,) = [line for line in lines if line["event"] == "grpc_request"]
    assert (line["log_level"], line["grpc_status"]) == (level, status)
    assert line["method"] == f"/{SERVICE}/GetUserPoints"
