"""Keys of the objects that the aiohttp application stores for its handlers."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from services.chat.service.chat import Chat

CHAT: Final = web.AppKey("CHAT", Chat)
