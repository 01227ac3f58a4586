"""WebSocket connections: the handshake, the frames and their limits."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from services.chat.ws.endpoint import connect

ROUTES: Final = (web.get("/api/v1/ws", connect),)
