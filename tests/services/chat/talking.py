"""A client of the socket that stores all received frames, like a phone."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import aiohttp
import msgspec

from devstack.testing.wait import DEADLINE, eventually
from lib.db import Database
from services.chat.service import messages
from services.chat.service.channels import open_channel
from services.chat.service.messages import Stored
from services.chat.store import channels
from services.chat.store.models import ChannelKind

CUSTOMER = "01890000-0000-7000-8000-00000000c001"
PROVIDER = "01890000-0000-7000-8000-00000000f001"
STRANGER = "01890000-0000-7000-8000-00000000b001"
ORDER = "01890000-0000-7000-8000-0000000000d1"


class Talker:
    """One socket: the received frames by kind, and the order of the messages."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.frames: list[dict[str, Any]] = []
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self.ws:
            self.frames.append(msgspec.json.decode(message.data))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["type"] == kind]

    @property
    def texts(self) -> list[str]:
        return [frame["text"] for frame in self.of("message")]

    @property
    def sequences(self) -> list[int]:
        return [frame["sequence"] for frame in self.of("message")]

    async def tell(self, kind: str, **fields: Any) -> None:
        await self.ws.send_str(msgspec.json.encode({"type": kind, **fields}).decode())

    async def send(self, channel: str, text: str, client_id: str = "") -> None:
        named = client_id or text.replace(" ", "-")
        await self.tell("send", channel_id=channel, text=text, client_id=named)

    async def expect(self, kind: str, count: int = 1, within: float = DEADLINE) -> dict[str, Any]:
        """Wait until `count` frames of a kind have arrived; return the last of them."""
        try:
            await eventually(lambda: len(self.of(kind)) >= count, within=within)
        except TimeoutError:
            raise AssertionError(f"{count} × {kind} expected, got {self.frames}") from None
        return self.of(kind)[count - 1]

    async def closed(self, within: float = DEADLINE) -> int:
        """Wait until the server closes; return its code."""
        async with asyncio.timeout(within):
            await asyncio.wait((self.reading,))
        return self.ws.close_code or 0

    async def close(self) -> None:
        await self.ws.close()
        await asyncio.wait((self.reading,))


async def open_between(
    db: Database,
    subject: str = ORDER,
    *,
    customer: str = CUSTOMER,
    provider: str = PROVIDER,
    kind: ChannelKind = ChannelKind.ORDER,
) -> str:
    """Open a channel as an event does, and return its ID."""
    async with db.transaction() as tx:
        await open_channel(
            tx, kind, UUID(subject), customer_id=UUID(customer), provider_id=UUID(provider)
        )
    found = await channels.list_channels(
        db, user_id=UUID(customer), subject_id=UUID(subject), kind=kind, page_size=1, skip=0
    )
    return str(found[0].id)


async def stored(db: Database, **message: Any) -> Stored:
    """Store a message like a replica that ends before the announcement."""
    return await messages.send(db, ended_before=datetime.min.replace(tzinfo=UTC), **message)
