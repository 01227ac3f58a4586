"""The services that providers offer, over HTTP."""

from __future__ import annotations

import asyncio

import pytest

from lib.auth import Role
from tests.services.calling import Caller
from tests.services.catalog.conftest import PROVIDER

INSTALL = "01890000-0000-7000-8000-00000000c401"
REPAIR = "01890000-0000-7000-8000-00000000c402"
NOBODY = "01890000-0000-7000-8000-00000000dead"
MINE, THEIRS = "providers/me/services", f"providers/{PROVIDER}/services"
OTHERS = f"providers/{NOBODY}/services"


async def names(caller, path: str) -> list[str]:
    status, body, _ = await caller("GET", path)
    assert status == 200, body
    assert body["meta"]["total_count"] == len(body["data"])
    return [row["name"] for row in body["data"]]


async def providers(caller, service: str) -> list[str]:
    _, body, _ = await caller("GET", f"services/{service}/providers")
    return [row["provider_id"] for row in body["data"]]


@pytest.mark.parametrize("path", [MINE, THEIRS])
async def test_a_provider_takes_up_and_gives_up_services(provider, anyone, path) -> None:
    assert await names(anyone, THEIRS) == []
    for service in (REPAIR, INSTALL):
        status, body, headers = await provider("POST", path, json={"service_id": service})
        assert (status, body["data"]["id"]) == (201, service)
        assert headers["Location"] == f"services/{service}"
    listed = ["Install a washing machine", "Repair a washing machine"]
    assert await names(provider, path) == await names(anyone, THEIRS) == listed
    assert await providers(anyone, INSTALL) == [PROVIDER]
    status, body, headers = await provider("GET", f"{path}/{INSTALL}")
    assert (status, body["data"]["name"], headers["ETag"]) == (200, listed[0], '"1"')
    assert (await provider("DELETE", f"{path}/{INSTALL}"))[0] == 204
    assert await names(anyone, THEIRS) == listed[1:]
    assert await providers(anyone, INSTALL) == []
    for method in ("GET", "DELETE"):
        status, body, _ = await provider(method, f"{path}/{INSTALL}")
        assert (status, body["error"]["message"]) == (404, "provider service not found")


async def test_taking_it_up_again_changes_nothing(provider, anyone) -> None:
    answers = await asyncio.gather(
        *(provider("POST", MINE, json={"service_id": REPAIR}) for _ in range(8))
    )
    assert sorted(status for status, _, _ in answers) == [200] * 7 + [201]
    assert len({body["data"]["id"] for _, body, _ in answers}) == 1
    assert await providers(anyone, REPAIR) == [PROVIDER]


async def test_pages_of_providers_have_totals(admin, anyone) -> None:
    several = [f"01890000-0000-7000-8000-00000000f00{n}" for n in (3, 1, 2)]
    for one in several:
        path = f"providers/{one}/services"
        assert (await admin("POST", path, json={"service_id": REPAIR}))[0] == 201
    _, body, _ = await anyone("GET", f"services/{REPAIR}/providers?page=2&page_size=2")
    assert [row["provider_id"] for row in body["data"]] == [max(several)]
    assert body["meta"] == {"page": 2, "page_size": 2, "total_count": 3, "total_pages": 2}


async def test_a_service_that_somebody_offers_is_not_removed(provider, admin) -> None:
    await provider("POST", MINE, json={"service_id": REPAIR})
    status, body, _ = await admin("DELETE", f"services/{REPAIR}")
    assert (status, body["error"]["message"]) == (409, "service is still in use")
    await provider("DELETE", f"{MINE}/{REPAIR}")
    assert (await admin("DELETE", f"services/{REPAIR}"))[0] == 204


async def test_only_services_that_exist_can_be_taken_up(provider, subtests) -> None:
    for path in [MINE, THEIRS]:
        for body, expected in [
            ({"service_id": NOBODY}, (404, "NOT_FOUND")),
            ({"service_id": "7"}, (400, "VALIDATION_ERROR")),
            ({}, (400, "VALIDATION_ERROR")),
            ({"service_id": REPAIR, "price": 1}, (400, "VALIDATION_ERROR")),
        ]:
            with subtests.test(body=body, path=path):
                status, answer, _ = await provider("POST", path, json=body)
                assert (status, answer["error"]["code"]) == expected


async def test_an_id_that_is_none_is_refused(admin, anyone, subtests) -> None:
    for method in ["GET", "POST", "DELETE"]:
        with subtests.test(method=method):
            for path in ("providers/7/services", "providers/Me/services"):
                where = f"{path}/{REPAIR}" if method == "DELETE" else path
                body = {"service_id": REPAIR} if method == "POST" else None
                assert (await admin(method, where, json=body))[0] == 400
            assert (await anyone("GET", f"{THEIRS}/7"))[0] == 400


@pytest.mark.parametrize(
    ("role", "verified", "mine", "theirs", "others"),
    [
        (None, True, 401, 401, 401),
        (Role.CUSTOMER, True, 403, 403, 403),
        (Role.MODERATOR, True, 403, 403, 403),
        (Role.PROVIDER, False, 403, 403, 403),
        (Role.PROVIDER, True, 201, 200, 403),
        (Role.ADMIN, True, 403, 201, 201),
        (Role.ADMIN, False, 403, 403, 403),
    ],
)
async def test_who_may_write(client, issuer, role, verified, mine, theirs, others) -> None:
    headers = {}
    if role is not None:
        headers = issuer.authorized(subject=PROVIDER, role=role, verified=verified)
    caller = Caller(client, headers)
    for path, expected in ((MINE, mine), (THEIRS, theirs), (OTHERS, others)):
        assert (await caller("POST", path, json={"service_id": REPAIR}))[0] == expected, path
        removed = {200: 204, 201: 204}.get(expected, expected)
        if path != MINE or removed != 204:
            assert (await caller("DELETE", f"{path}/{REPAIR}"))[0] == removed, path


@pytest.mark.parametrize(
    ("role", "expected"),
    [(None, 401), (Role.CUSTOMER, 403), (Role.ADMIN, 403), (Role.PROVIDER, 200)],
)
async def test_my_services_are_a_providers(client, issuer, role, expected) -> None:
    headers = {} if role is None else issuer.authorized(subject=PROVIDER, role=role)
    caller = Caller(client, headers)
    assert (await caller("GET", MINE))[0] == expected
    assert (await caller("GET", THEIRS))[0] == 200


async def test_a_token_whose_subject_is_no_account_has_no_services(client, issuer) -> None:
    caller = Caller(client, issuer.authorized(subject="robot", role=Role.PROVIDER))
    assert (await caller("GET", MINE))[0] == 403
    assert (await caller("POST", THEIRS, json={"service_id": REPAIR}))[0] == 403
