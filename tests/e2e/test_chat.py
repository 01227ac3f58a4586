"""WebSockets through the gateway; docs/EXAMPLES.md has such a conversation."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import ClientSession, WSServerHandshakeError

from tests.e2e.people import PASSWORD, ask, prove, register, sign_in

WS = "/api/chats/v1/ws"


async def test_a_page_of_ours_gets_through_and_one_of_others_does_not(stack) -> None:
    async with ClientSession(stack.url, headers=stack.authorized()) as http:
        async with http.ws_connect(WS, headers={"Origin": stack.url}) as ws:
            assert (await ws.receive_json(timeout=10))["type"] == "ready"
        with pytest.raises(WSServerHandshakeError) as refused:
            await http.ws_connect(WS, headers={"Origin": "https://evil.example"})
    assert refused.value.status == 403


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "auth/logout", None),
        ("POST", "auth/logout-all", None),
        ("PATCH", "users/me/change-password",
         {"old_password": PASSWORD, "new_password": "Harbours-under-9-lanterns"}),
    ],
)  # fmt: skip
async def test_a_session_that_ends_takes_its_sockets_with_it(stack, method, path, body) -> None:
    address = await asyncio.to_thread(register, stack)
    await asyncio.to_thread(prove, stack, address)
    token = await asyncio.to_thread(sign_in, stack, address)
    headers = {"Authorization": f"Bearer {token}"}
    async with ClientSession(stack.url, headers=headers) as http, http.ws_connect(WS) as ws:
        assert (await ws.receive_json(timeout=10))["type"] == "ready"
        status, _ = await asyncio.to_thread(ask, stack, method, path, body, token=token)
        assert status == 204
        await ws.receive(timeout=30)
        assert ws.close_code == 4002
        # The access token would live for a quarter of an hour.
        with pytest.raises(WSServerHandshakeError) as refused:
            await http.ws_connect(WS)
    assert refused.value.status == 403
