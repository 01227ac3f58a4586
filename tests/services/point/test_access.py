"""Access to points: users see their own; services and callers who may read accounts see all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import grpc
import grpc.aio
import pytest
import pytest_asyncio

from devstack.testing.postgres import TestPostgres
from lib.auth import Role
from lib.errors import AppError, Code
from lib.pb import point as older
from lib.pb.point.rpc import PointServerStub
from lib.pb.point.v1 import GetUserPointsRequest, ListUserPointsRequest, StreamUserLedgerRequest
from lib.pb.point.v1.rpc import GET_USER_POINTS, PointServiceStub
from tests.services.running import ISSUER, RunningPoint, client_of, running_point

pytestmark = pytest.mark.asyncio(loop_scope="module")

ALICE = "01890000-0000-7000-8000-000000000001"
BOB = "01890000-0000-7000-8000-000000000002"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def point(postgres_server: TestPostgres) -> AsyncIterator[RunningPoint]:
    """One service for all tests here, because they only read."""
    async with running_point(postgres_server.create("point", demo=True)) as running:
        yield running


async def answers(
    point: RunningPoint, subject: str, role: Role, *user_ids: str, given: Sequence[str] = ()
) -> list[str]:
    """Return each method's result for the users: `ok`, or the code of its error."""
    found = []
    async with client_of(point.grpc_address, tokens=ISSUER.tokens(subject, role, *given)) as client:
        now, then = PointServiceStub(client), PointServerStub(client)
        calls = [
            now.list_user_points(ListUserPointsRequest(user_ids=list(user_ids)), seconds=30),
            then.get_user_list_points(older.UserListRequest(user_ids=list(user_ids)), seconds=30),
            *(now.get_user_points(GetUserPointsRequest(user_id=i), seconds=30) for i in user_ids),
            *(then.get_user_points(older.PointRequest(user_id=i), seconds=30) for i in user_ids),
        ]
        for call in calls:
            try:
                await call
                found.append("ok")
            except AppError as error:
                found.append(error.code.value)
        for user_id in user_ids:
            request = StreamUserLedgerRequest(user_id=user_id)
            try:
                entries = await now.stream_user_ledger(request, seconds=30, limit=9)
                found.append("ok" if entries else "empty")
            except AppError as error:
                found.append(error.code.value)
    return found


@pytest.mark.parametrize("role", [Role.SERVICE, Role.ADMIN, Role.STAFF])
async def test_some_see_everybodys_points(point: RunningPoint, role: Role) -> None:
    given = ("service:points",) if role is Role.SERVICE else ("users:read",)
    assert await answers(point, "somebody", role, ALICE, BOB, given=given) == ["ok"] * 8


@pytest.mark.parametrize(
    ("role", "given"),
    [
        (Role.SERVICE, ()),
        (Role.SERVICE, ("service:users", "service:reservations")),
        (Role.CUSTOMER, ("service:points",)),
    ],
)
async def test_neither_the_role_nor_the_permission_of_a_service_is_enough(
    point: RunningPoint, role: Role, given: tuple[str, ...]
) -> None:
    found = await answers(point, "order", role, ALICE, given=given)
    assert set(found) == {Code.FORBIDDEN.value}


@pytest.mark.parametrize("role", [Role.CUSTOMER, Role.PROVIDER, Role.MODERATOR])
async def test_others_see_their_own_however_the_id_is_spelled(
    point: RunningPoint, role: Role
) -> None:
    assert await answers(point, ALICE, role, ALICE.upper()) == ["ok"] * 5


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.SERVICE])
async def test_others_do_not_see_anybody_elses(point: RunningPoint, role: Role) -> None:
    """A caller with the role but without its required second factor does not see them either."""
    assert await answers(point, ALICE, role, BOB) == [Code.FORBIDDEN.value] * 5
    both = await answers(point, ALICE, role, ALICE, BOB)
    assert both[:2] == [Code.FORBIDDEN.value] * 2  # not a part of the list either


async def test_nobody_sees_any_without_a_token(point: RunningPoint) -> None:
    async with grpc.aio.insecure_channel(point.grpc_address) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await channel.unary_unary(GET_USER_POINTS.path)(
                bytes(GetUserPointsRequest(user_id=ALICE))
            )
    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED
