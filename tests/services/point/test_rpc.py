"""The point service over gRPC, on a real database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import aiohttp
import pytest
import pytest_asyncio

from devstack.testing.postgres import TestPostgres
from lib.errors import AppError, Code
from lib.grpc.client import Client
from lib.ids import new_id
from lib.pb import point as older
from lib.pb.point.rpc import PointServerStub
from lib.pb.point.v1 import GetUserPointsRequest, ListUserPointsRequest, StreamUserLedgerRequest
from lib.pb.point.v1.rpc import PointServiceStub
from tests.services.running import RunningPoint, client_of, running_point

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALICE = "01890000-0000-7000-8000-000000000001"
BOB = "01890000-0000-7000-8000-000000000002"
UNKNOWN = str(new_id())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def point(postgres_server: TestPostgres) -> AsyncIterator[RunningPoint]:
    """One service for all tests here, because they only read."""
    async with running_point(postgres_server.create("point", demo=True)) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def client(point: RunningPoint) -> AsyncIterator[Client]:
    async with client_of(point.grpc_address) as client:
        yield client


@pytest.mark.parametrize(
    ("user_id", "points"),
    [(ALICE, 23), (ALICE.upper(), 23), (ALICE.replace("-", ""), 23), (BOB, 43), (UNKNOWN, 0)],
    ids=["alice", "upper case", "without hyphens", "bob", "unknown"],
)
async def test_a_user_has_the_points_of_the_ledger_or_none(
    client: Client, user_id: str, points: int
) -> None:
    request = GetUserPointsRequest(user_id=user_id)
    assert (await PointServiceStub(client).get_user_points(request, seconds=30)).points == points


@pytest.mark.parametrize(
    "user_id", ["", "alice", ALICE + "0", ALICE[:-1], "٠" * 36, "' OR 1=1", "\x00"]
)
async def test_an_id_that_is_none_is_refused_by_name(client: Client, user_id: str) -> None:
    with pytest.raises(AppError) as raised:
        await PointServiceStub(client).get_user_points(
            GetUserPointsRequest(user_id=user_id), seconds=30
        )
    assert raised.value.code is Code.VALIDATION_ERROR
    assert [(d.field, d.message) for d in raised.value.details] == [("user_id", "is not a UUID")]


async def test_a_list_has_everybody_who_was_asked_for_as_they_were_spelled(client: Client) -> None:
    request = ListUserPointsRequest(user_ids=[ALICE.upper(), BOB, UNKNOWN])
    reply = await PointServiceStub(client).list_user_points(request, seconds=30)
    assert reply.points == {ALICE.upper(): 23, BOB: 43, UNKNOWN: 0}


async def test_every_bad_id_of_a_list_is_named(client: Client) -> None:
    with pytest.raises(AppError) as raised:
        await PointServiceStub(client).list_user_points(
            ListUserPointsRequest(user_ids=["x", ALICE, "y"]), seconds=30
        )
    assert [d.field for d in raised.value.details] == ["user_ids[0]", "user_ids[2]"]


async def test_a_ledger_streams_from_its_beginning_or_from_behind_an_entry(client: Client) -> None:
    stub = PointServiceStub(client)
    request = StreamUserLedgerRequest(user_id=ALICE)
    entries = await stub.stream_user_ledger(request, seconds=30, limit=9)
    assert [(e.amount, e.balance_after) for e in entries] == [(20, 20), (10, 30), (-7, 23)]
    assert entries[0].reason == "welcome"
    assert entries[0].created_at == datetime(2023, 1, 1, 9, tzinfo=UTC)
    request = StreamUserLedgerRequest(user_id=ALICE, after_id=entries[1].id)
    rest = await stub.stream_user_ledger(request, seconds=30, limit=9)
    assert rest == entries[2:]


@pytest.mark.parametrize(
    ("request_", "fields"),
    [
        (StreamUserLedgerRequest(user_id="x"), ["user_id"]),
        (StreamUserLedgerRequest(user_id=ALICE, after_id="x"), ["after_id"]),
    ],
    ids=["user", "entry"],
)
async def test_a_ledger_of_a_bad_id_is_refused(
    client: Client, request_: StreamUserLedgerRequest, fields: list[str]
) -> None:
    with pytest.raises(AppError) as raised:
        await PointServiceStub(client).stream_user_ledger(request_, seconds=30, limit=1)
    assert [detail.field for detail in raised.value.details] == fields


async def test_older_clients_get_text_and_only_users_who_have_points(client: Client) -> None:
    stub = PointServerStub(client)
    for user_id, text in ((ALICE, "23"), (UNKNOWN, "0")):
        one = await stub.get_user_points(older.PointRequest(user_id=user_id), seconds=30)
        assert one.user_point == text
    request = older.UserListRequest(user_ids=[ALICE, BOB, UNKNOWN])
    assert (await stub.get_user_list_points(request, seconds=30)).user_points == {
        ALICE: 23,
        BOB: 43,
    }


async def test_the_http_port_shows_health_and_grpc_metrics(
    client: Client, point: RunningPoint
) -> None:
    await PointServiceStub(client).get_user_points(GetUserPointsRequest(user_id=ALICE), seconds=30)
    async with aiohttp.ClientSession(point.http) as session:
        async with session.get("/readyz") as response:
            assert (await response.json())["checks"] == {"database": "ok"}
        async with session.get("/metrics") as response:
            text = await response.text()
    series = 'grpc_method="GetUserPoints",grpc_service="point.v1.PointService",grpc_type="unary"'
    assert f'grpc_server_handled_total{{grpc_code="OK",{series}}}' in text
    assert 'db_query_duration_seconds_count{query="GetBalance"}' in text
