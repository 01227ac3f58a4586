"""The caller's own points with their ledger, with a point service that may fail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from devstack.testing.proxy import Proxy, proxy
from devstack.testing.wait import eventually
from lib.auth import Role
from lib.ids import new_id
from tests.conftest import NewDatabase
from tests.services.running import ISSUER, running_point, running_user

ALICE, BOB = (f"01890000-0000-7000-8000-00000000000{n}" for n in (1, 2))
ENTRY = "01890000-0000-7000-8000-0000000e010{}"


@dataclass
class Setting:
    base: str
    between: Proxy
    http: aiohttp.ClientSession

    async def get(self, who: str, headers: Any, query: str = "") -> tuple[int, Any]:
        path = f"{self.base}/api/v1/users/{who}/points{query}"
        async with self.http.get(path, headers=headers) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def setting(new_database: NewDatabase) -> AsyncIterator[Setting]:
    user, point = await new_database("user", demo=True), await new_database("point", demo=True)
    async with (
        running_point(point) as running,
        proxy("127.0.0.1", running.grpc_port) as between,
        running_user(user, f"127.0.0.1:{between.port}", points_seconds=30) as base,
        aiohttp.ClientSession() as http,
    ):
        yield Setting(base, between, http)


def as_(subject: str, *permissions: str, role: Role = Role.CUSTOMER) -> dict[str, str]:
    return ISSUER.authorized(*permissions, subject=subject, role=role)


async def test_the_ledger_explains_the_balance(setting: Setting) -> None:
    status, body = await setting.get("me", as_(ALICE))
    assert (status, body["data"]["points"], body["data"]["next"]) == (200, 23, None)
    entries = body["data"]["entries"]
    assert [(e["amount"], e["balance_after"], e["reason"]) for e in entries] == [
        (20, 20, "welcome"),
        (10, 30, "referral"),
        (-7, 23, "coffee voucher"),
    ]
    assert entries[0]["id"] == ENTRY.format(1)
    assert entries[0]["created_at"] == "2023-01-01T09:00:00Z"


async def test_parts_follow_one_another_to_the_end(setting: Setting) -> None:
    seen, query = [], "?limit=1"
    while True:
        _, body = await setting.get(ALICE, as_(ALICE), query)
        assert body["data"]["points"] == 23
        seen += [entry["id"] for entry in body["data"]["entries"]]
        if body["data"]["next"] is None:
            break
        query = f"?limit=1&after={body['data']['next']}"
    assert seen == [ENTRY.format(n) for n in (1, 2, 3)]


async def test_points_are_for_their_owner_and_for_who_may_read_accounts(
    setting: Setting, subtests: pytest.Subtests
) -> None:
    for who, subject, permissions, role, status in [
        ("me", ALICE, (), Role.CUSTOMER, 200),
        (ALICE, ALICE, (), Role.PROVIDER, 200),
        (BOB, ALICE, (), Role.CUSTOMER, 403),
        (BOB, ALICE, ("users:read",), Role.STAFF, 200),
        (BOB, ALICE, ("users:moderate",), Role.MODERATOR, 403),
        (BOB, "chat", (), Role.SERVICE, 403),
        (str(new_id()), ALICE, ("users:read",), Role.ADMIN, 404),
        ("nobody", ALICE, ("users:read",), Role.ADMIN, 400),
    ]:
        with subtests.test(who=who):
            answered, body = await setting.get(who, as_(subject, *permissions, role=role))
            assert answered == status, body


async def test_nobody_sees_points_without_a_token(setting: Setting) -> None:
    assert (await setting.get("me", {}))[0] == 401


async def test_a_wrong_parameter_is_named(setting: Setting, subtests: pytest.Subtests) -> None:
    for query, field in [
        ("?limit=0", "limit"),
        ("?limit=101", "limit"),
        ("?limit=x", "limit"),
        ("?after=1", "after"),
    ]:
        with subtests.test(query=query):
            status, body = await setting.get("me", as_(ALICE), query)
            assert (status, body["error"]["code"]) == (400, "VALIDATION_ERROR")
            assert [detail["field"] for detail in body["error"]["details"]] == [field]


async def test_a_point_service_that_is_away_is_an_error_and_no_half_truth(setting: Setting) -> None:
    assert (await setting.get("me", as_(ALICE)))[0] == 200
    setting.between.refusing = True
    setting.between.cut()

    async def is_left_alone() -> bool:
        status, body = await setting.get("me", as_(ALICE))
        assert status == 503, body
        assert "data" not in body
        assert body["error"]["code"] in {"SERVICE_UNAVAILABLE", "CIRCUIT_OPEN"}
        return body["error"]["code"] == "CIRCUIT_OPEN"

    await eventually(is_left_alone)


async def test_calls_over_grpc_are_among_the_measured_calls(setting: Setting) -> None:
    for _ in range(2):
        await setting.get("me", as_(ALICE))
    async with setting.http.get(f"{setting.base}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    found = [
        line for line in lines if line.startswith('upstream_call_seconds_count{upstream="point"')
    ]
    assert [line.split()[-1] for line in found] == ["4.0"]  # the balance and the ledger
