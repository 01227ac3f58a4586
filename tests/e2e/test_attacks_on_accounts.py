"""Attacks on accounts, tokens, second factors and emails; see docs/attacks.md."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import aiohttp
import psutil
import pyotp
import pytest

from devstack.testing.wait import eventually
from tests.e2e import people
from tests.e2e.conftest import Stack
from tests.e2e.deletable import Deletable, User, deletable
from tests.services.user.software_key import SoftwareKey

# What would add a recipient, a header or another account, if it were an address.
NO_ADDRESSES = (
    "a@example.com\r\nBcc: b@example.com", "a@example.com,b@example.com", "<a@example.com>",
    "a@example.com%0aBcc:b@example.com", "a b@example.com", "a@example.com\u200b",
    "ａ@example.com", "a@ex\u0430mple.com", '"a\\"@example.com', "a@[127.0.0.1]", "a@localhost",
    "@example.com", "a@@example.com", "a@example..com", "x" * 300 + "@example.com",
)  # fmt: skip
NO_NAMES = (
    "{{ 7 * 7 }}",
    "{% x %}",
    "<img src=x onerror=alert(1)>",
    "Ann\r\nBcc: b@example.com",
    "A\x00nn",
    "\u202eAnn",
    "",
    " ",
    "x" * 500,
)
NO_ROLES = ("ADMIN", "SERVICE", "admin", "ADMIN ", "../ADMIN", "A" * 200, "АDMIN", "")


@pytest.fixture
async def world(stack, identity_provider) -> AsyncIterator[Deletable]:
    async with deletable(stack, identity_provider) as world:
        yield world


async def sign_in(world: Deletable, address: str, password: str = people.PASSWORD) -> Any:
    body = {"email": address, "password": password}
    async with world.admin.http.post("/api/users/v1/auth/login", json=body) as answer:
        return await answer.json()


async def test_no_token_is_taken_for_another_kind(stack: Stack, world: Deletable) -> None:
    address = await asyncio.to_thread(people.register, stack)
    await asyncio.to_thread(people.prove, stack, address)
    session = (await sign_in(world, address))["data"]
    access, refresh = session["access_token"], session["refresh_token"]
    as_access = User(world.admin.http, refresh)
    assert (await as_access("GET", "users/v1/users/me")).status == 401
    for path, field in (
        ("refresh", "refresh_token"), ("verify", "token"), ("email/undo", "token"),
        ("password/reset", "token"),
    ):  # fmt: skip
        # An access token is too long for the others, which is a 400 before anything is looked up.
        others = () if path == "refresh" else ((refresh, 401),)
        for token, status in ((access, 400), *others):
            body = {field: token, "new_password": "Harbours-under-9-lanterns"}
            if path != "password/reset":
                del body["new_password"]
            async with world.admin.http.post(f"/api/users/v1/auth/{path}", json=body) as answer:
                assert answer.status == status, (path, await answer.text())


async def test_two_tokens_in_one_request_are_not_mixed(stack: Stack, world: Deletable) -> None:
    mine, theirs = world.stranger.token, world.customer.token
    me = (await world.stranger("GET", "users/v1/users/me")).data["id"]
    # NGINX refuses two headers by itself, so the service is asked directly as well.
    behind = f"http://127.0.0.1:{stack.port('USER_PORT')}/api/v1/users/me"
    for where in ("/api/users/v1/users/me", behind):
        for headers in (
            [("Authorization", f"Bearer {mine}"), ("Authorization", f"Bearer {theirs}")],
            [("Authorization", f"Bearer {mine}, Bearer {theirs}")],
            [("Authorization", f"Bearer {mine} {theirs}")],
        ):
            async with world.admin.http.get(where, headers=headers) as answer:
                assert answer.status in (400, 401), (where, headers)
    # A header wins over a cookie, which a sibling domain may have planted.
    cookie = {"Authorization": f"Bearer {mine}", "Cookie": f"__Host-access_token={theirs}"}
    async with world.admin.http.get("/api/users/v1/users/me", headers=cookie) as answer:
        assert (await answer.json())["data"]["id"] == me


async def test_the_csrf_token_of_another_session_changes_nothing(
    stack: Stack, world: Deletable
) -> None:
    addresses = [await asyncio.to_thread(people.register, stack) for _ in range(2)]
    own, second = [(await sign_in(world, addresses[0]))["data"] for _ in range(2)]
    others = (await sign_in(world, addresses[1]))["data"]
    salt, _, mac = own["csrf_token"].partition(".")
    for csrf, status in (
        ("", 403), ("x", 403), ("a" * 43, 403), (world.customer.token[:43], 403),
        (second["csrf_token"], 403), (others["csrf_token"], 403), (f"x{salt}.{mac}", 403),
        (own["csrf_token"], 200),
    ):  # fmt: skip
        headers = {
            "Cookie": f"__Host-access_token={own['access_token']}; __Host-csrf_token={csrf}",
            "X-CSRF-Token": csrf,
        }
        async with world.admin.http.patch(
            "/api/users/v1/users/me", json={"first_name": "Owned"}, headers=headers
        ) as answer:
            assert answer.status == status, (csrf, await answer.text())


async def test_a_code_for_recovery_is_used_once_by_many_at_once(
    stack: Stack, world: Deletable
) -> None:
    address = await asyncio.to_thread(people.register, stack)
    await asyncio.to_thread(people.prove, stack, address)
    user = User(world.admin.http, (await sign_in(world, address))["data"]["access_token"])
    secret = (await user("POST", "users/v1/auth/totp")).data["secret"]
    code = {"code": pyotp.TOTP(secret).at(int(time.time()))}
    codes = (await user("POST", "users/v1/auth/totp/confirm", code)).data["recovery_codes"]
    thieves = [
        User(world.admin.http, (await sign_in(world, address))["data"]["access_token"])
        for _ in range(4)
    ]
    answers = await asyncio.gather(
        *(one("POST", "users/v1/auth/second-factor", {"recovery_code": codes[0]})
          for one in thieves for _ in range(1))
    )  # fmt: skip
    assert Counter(answer.status for answer in answers)[204] == 1, [a.body for a in answers]


async def test_a_challenge_for_a_passkey_belongs_to_its_session(
    stack: Stack, world: Deletable
) -> None:
    address = await asyncio.to_thread(people.register, stack)
    await asyncio.to_thread(people.prove, stack, address)
    first, second = [
        User(world.admin.http, (await sign_in(world, address))["data"]["access_token"])
        for _ in range(2)
    ]
    options = (await first("POST", "users/v1/auth/passkeys/options")).data
    made = SoftwareKey(stack.url).create(options)
    given = {"name": "Stolen", "credential": made}
    assert (await second("POST", "users/v1/auth/passkeys", given)).status == 400
    assert (await world.stranger("POST", "users/v1/auth/passkeys", given)).status == 400
    evil = SoftwareKey("https://evil.example").create(options)
    given = {"name": "Phished", "credential": evil}
    assert (await first("POST", "users/v1/auth/passkeys", given)).status in (400, 401)


async def test_no_address_is_a_header_a_list_or_a_look_alike(world: Deletable) -> None:
    for address in NO_ADDRESSES:
        body = {
            "email": address, "password": people.PASSWORD, "first_name": "Ann",
            "last_name": "Link", "phone_number": "+4930123456",
        }  # fmt: skip
        register = "/api/users/v1/auth/register/customer"
        async with world.admin.http.post(register, json=body) as answer:
            assert answer.status == 400, (address, await answer.text())


async def test_no_name_is_a_header_a_template_or_markup(world: Deletable) -> None:
    body = {
        "email": f"ann-{uuid4().hex[:8]}@example.com", "password": people.PASSWORD,
        "last_name": "Link", "phone_number": "+4930123456",
    }  # fmt: skip
    register = "/api/users/v1/auth/register/customer"
    for name in NO_NAMES:
        async with world.admin.http.post(register, json=body | {"first_name": name}) as answer:
            assert answer.status == 400, (repr(name), await answer.text())
        answer = await world.customer("PATCH", "users/v1/users/me", {"first_name": name})
        assert answer.status == 400, (repr(name), answer.body)


async def test_no_custom_role_is_named_like_one_that_is_built_in(world: Deletable) -> None:
    for name in NO_ROLES:
        for kind in ("STAFF", "SERVICE", "ADMIN"):
            body = {"name": name, "kind": kind, "description": "x", "permissions": []}
            answer = await world.admin("POST", "users/v1/roles", body)
            assert answer.status in (400, 409), (name, kind, answer.body)
    body = {"name": f"R_{uuid4().hex[:8].upper()}", "kind": "SERVICE", "description": "x"}
    answer = await world.admin("POST", "users/v1/roles", body | {"permissions": []})
    assert answer.status in (400, 409), answer.body


async def test_another_spelling_of_an_id_in_a_path_shows_no_other_account(
    world: Deletable,
) -> None:
    victim = (await world.customer("GET", "users/v1/users/me")).data["id"]
    for name in (victim.upper(), f"%7B{victim}%7D", victim.replace("-", ""), f"urn:uuid:{victim}",
                 "ME", "me%00", "%6de", f"me,{victim}", f"me%2f..%2f{victim}"):  # fmt: skip
        # A balance has no ID. `%6de` is another spelling of `me`, the caller's own account.
        expected = {200} if name == "%6de" else {400, 403, 404}
        for path in (f"users/v1/users/{name}", f"users/v1/users/{name}/points"):
            answer = await world.stranger("GET", path)
            assert answer.status in expected, (path, answer.body)
            assert victim not in str(answer.body), (path, answer.body)


async def test_a_signed_link_to_a_picture_opens_no_other_and_for_no_longer(
    world: Deletable,
) -> None:
    _, owner = await world.picture()
    link = (await owner("GET", "users/v1/users/me")).data["picture_url"]
    http: aiohttp.ClientSession = owner.http
    async with http.get(link) as answer:
        assert answer.status == 200
    base, _, query = link.partition("?")
    fields = dict(one.split("=", 1) for one in query.split("&"))
    for name, value in fields.items():
        for other in ("", "0", value[:-1], value + "0", "9" * 20, "NaN"):
            changed = "&".join(f"{k}={v}" for k, v in (fields | {name: other}).items())
            async with http.get(f"{base}?{changed}") as answer:
                assert answer.status in (400, 401, 403, 404), (name, other)
    _, another = await world.picture()
    theirs = (await another("GET", "users/v1/users/me")).data["picture_url"].partition("?")[0]
    for path in (base, f"{theirs}?{query}", f"{base}x?{query}", f"{base}%2f..%2fx?{query}"):
        async with http.get(path) as answer:
            assert answer.status in (400, 401, 403, 404), path


async def test_forty_exports_at_once_do_not_fail(stack: Stack, world: Deletable) -> None:
    """During an export while the order service hangs, no database connection may wait for it."""
    user = await world.person()
    hanging = psutil.Process(stack.pid("order"))
    hanging.suspend()
    try:
        export = "users/v1/users/me/export"
        exports = [asyncio.create_task(user("GET", export)) for _ in range(40)]
        for _ in range(10):
            assert (await world.customer("GET", "users/v1/users/me")).status == 200
        answers = await asyncio.gather(*exports)
    finally:
        hanging.resume()
    assert {answer.status for answer in answers} <= {200, 429, 503}

    async def complete() -> bool:  # again: the circuit to the service is closed
        answer = await user("GET", export)
        return answer.status == 200 and answer.data["elsewhere"]["missing"] == []

    await eventually(complete, within=60)


async def test_a_request_to_be_a_provider_is_decided_once(world: Deletable) -> None:
    user = await world.person()
    body = {"personal_id_number": f"{uuid4().int % 10**11:011}"}
    asked = await user("POST", "users/v1/users/me/provider-request", body)
    assert asked.status < 300, asked.body
    me = (await user("GET", "users/v1/users/me")).data["id"]
    for self_made in ({"status": "APPROVED"}, {"approved": True}, {"decision": "approve"}):
        own = await user("PUT", f"users/v1/provider-requests/{me}", self_made)
        assert own.status in (400, 403, 404), own.body
    assert (await user("GET", "users/v1/users/me")).data["role"] == "CUSTOMER"
    decided = f"users/v1/provider-requests/{me}"
    refusal = {"approved": False, "reason": "The number is unknown."}
    assert (await world.admin("PUT", decided, refusal)).status == 204
    for again in (refusal, {"approved": True}):
        assert (await world.admin("PUT", decided, again)).status == 404
