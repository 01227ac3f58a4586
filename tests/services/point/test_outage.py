"""The database fails and recovers: callers get UNAVAILABLE within their deadline."""

from __future__ import annotations

import asyncio

import pytest

from devstack.testing.postgres import TestPostgres
from devstack.testing.wait import DEADLINE, eventually
from lib.errors import AppError, Code
from lib.pb.point.v1 import GetUserPointsRequest
from lib.pb.point.v1.rpc import PointServiceStub
from tests.services.running import client_of, running_point

ALICE = GetUserPointsRequest(user_id="01890000-0000-7000-8000-000000000001")


async def ask_until_refused(stub: PointServiceStub) -> None:
    while True:
        await stub.get_user_points(ALICE, seconds=DEADLINE)


async def test_a_killed_database_is_unavailable_and_the_service_recovers_by_itself(
    killable_postgres: TestPostgres,
) -> None:
    database = killable_postgres.create("point", demo=True)
    async with running_point(database) as point, client_of(point.grpc_address) as client:
        stub = PointServiceStub(client)
        assert (await stub.get_user_points(ALICE, seconds=DEADLINE)).points == 23
        killable_postgres.kill()
        async with asyncio.timeout(2 * DEADLINE):
            # Its children answer for a moment longer than the server lives.
            with pytest.raises(AppError) as raised:
                await ask_until_refused(stub)
        assert raised.value.code is Code.SERVICE_UNAVAILABLE
        await asyncio.to_thread(killable_postgres.start)

        async def answers() -> bool:
            try:
                return (await stub.get_user_points(ALICE, seconds=DEADLINE)).points == 23
            except AppError:
                return False

        await eventually(answers)
