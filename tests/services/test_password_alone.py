"""A caller with the password but without the second factor has no access in any service."""

from __future__ import annotations

import time
from typing import Any

import pyotp
import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from tests.services.marketplace import Marketplace, running_marketplace
from tests.services.user.world import bearer


@pytest.fixture
async def marketplace(new_database, own_redis_url, tmp_path):
    async with running_marketplace(new_database, own_redis_url, tmp_path) as found:
        yield found


async def enrol(marketplace: Marketplace, session: Any) -> pyotp.TOTP:
    world = marketplace.world
    made = await world.post("totp", headers=bearer(session))
    totp = pyotp.parse_uri(made.data["uri"])
    assert isinstance(totp, pyotp.TOTP)
    code = {"code": totp.at(time.time())}
    assert (await world.post("totp/confirm", code, headers=bearer(session))).status == 200
    return totp


async def test_a_password_without_its_second_factor_is_refused_by_every_service(
    marketplace: Marketplace, subtests
) -> None:
    world = marketplace.world
    ann = await marketplace.signed_in("ann@example.com")
    bob = await marketplace.provider("bob@example.com")
    job = await marketplace.ordered(ann, bob)
    channel = await marketplace.channel(ann, job)  # with chat
    totp = await enrol(marketplace, ann)
    thief = (await world.login("ann@example.com")).data
    assert thief["second_factor_wanted"] is True
    said = {"client_id": "2", "text": "send the money here"}  # with chat
    attacks = [
        ("user", "GET", "users/me/export", None),
        ("user", "GET", "users/me", None),
        ("user", "PATCH", "users/me", {"first_name": "Eve"}),
        ("user", "DELETE", "users/me", None),
        ("user", "POST", "auth/logout-all", None),
        ("user", "GET", "auth/sessions", None),
        ("user", "DELETE", f"auth/sessions/{job}", None),
        ("user", "GET", "users/me/points", None),
        ("chat", "GET", "channels", None),  # with chat
        ("chat", "GET", f"channels/{channel}/messages", None),  # with chat
        ("chat", "POST", f"channels/{channel}/messages", said),  # with chat
        ("order", "PATCH", f"jobs/{job}", {"status": "CANCELLED"}),
        ("order", "GET", f"jobs/{job}", None),
        ("order", "GET", "customers/me/service-orders", None),
        ("order", "POST", "orders", {"lines": [{"product_id": job, "quantity": 1}]}),
        ("order", "GET", "orders", None),
    ]
    for service, method, path, body in attacks:
        with subtests.test(service=service, method=method, path=path):
            url = f"{marketplace.urls[service]}/api/v1/{path}"
            answer = await world.call(method, url, body, headers=bearer(thief))
            assert (answer.status, answer.message) == (403, "verify your second factor first")
    with subtests.test(service="chat", path="ws"):  # with chat
        async with ClientSession(headers=bearer(thief)) as http:
            with pytest.raises(WSServerHandshakeError) as refused:
                await http.ws_connect(f"{marketplace.urls['chat']}/api/v1/ws")
            assert refused.value.status == 403
    # The owner is signed in still, and the thief is no stranger to what is open.
    assert (await world.post("refresh", {"refresh_token": ann["refresh_token"]})).status == 200
    profile = f"/api/v1/profiles/{ann['user_id']}"
    seen = (await world.call("GET", profile, headers=bearer(thief))).data
    assert seen == (await world.call("GET", profile)).data
    # With the factor all of it opens.
    shown = {"code": totp.at(time.time() + 30)}
    assert (await world.post("second-factor", shown, headers=bearer(thief))).status == 204
    owner = (await world.post("refresh", {"refresh_token": thief["refresh_token"]})).data
    await marketplace.call("chat", "GET", "channels", owner, None, 200)  # with chat
    await marketplace.call("user", "GET", "users/me/export", owner, None, 200)
