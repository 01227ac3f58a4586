"""A WebSocket through the gateway; docs/EXAMPLES.md has a conversation over it."""

from __future__ import annotations

import pytest
from aiohttp import ClientSession, WSServerHandshakeError

WS = "/api/chats/v1/ws"


async def test_a_page_of_ours_gets_through_and_one_of_others_does_not(stack) -> None:
    async with ClientSession(stack.url, headers=stack.authorized()) as http:
        async with http.ws_connect(WS, headers={"Origin": stack.url}) as ws:
            assert (await ws.receive_json(timeout=10))["type"] == "ready"
        with pytest.raises(WSServerHandshakeError) as refused:
            await http.ws_connect(WS, headers={"Origin": "https://evil.example"})
    assert refused.value.status == 403
