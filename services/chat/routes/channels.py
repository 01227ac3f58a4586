"""Routes of the caller's channels."""

from __future__ import annotations

from typing import Final

from lib.errors import Code
from lib.http import respond
from lib.http.app import Db
from lib.http.respond import Answer, Page
from lib.http.routes import Id, Routes, signed_in
from services.chat.routes.callers import Caller
from services.chat.service import channels as service
from services.chat.views import ChannelQuery, ChannelView, channel_view

route: Final = Routes("channels")


@route("GET /api/v1/channels", "List my channels", access=signed_in())
async def list_channels(db: Db, wanted: ChannelQuery, caller: Caller) -> Page[ChannelView]:
    """Return the caller's channels, most recent message first."""
    rows, total = await service.list_mine(
        db, caller, wanted, kind=wanted.kind, subject_id=wanted.subject_id
    )
    return respond.page(wanted, [channel_view(row) for row in rows], total)


@route("GET /api/v1/channels/{id}", "Get a channel", Code.NOT_FOUND, access=signed_in())
async def get_channel(db: Db, channel_id: Id, caller: Caller) -> Answer[ChannelView]:
    """Return a channel. Raises NOT_FOUND for a channel of other users."""
    return respond.ok(channel_view(await service.get_mine(db, caller, channel_id)))


@route("PUT /api/v1/channels/{id}/block", "Block a channel", Code.NOT_FOUND, access=signed_in())
async def block_channel(db: Db, channel_id: Id, caller: Caller) -> Answer[ChannelView]:
    """Block a channel. Neither member can write until both members have removed their blocks."""
    return respond.ok(channel_view(await service.block(db, caller, channel_id, blocked=True)))


@route(
    "DELETE /api/v1/channels/{id}/block",
    "Unblock a channel",
    Code.NOT_FOUND,
    access=signed_in(),
)
async def unblock_channel(db: Db, channel_id: Id, caller: Caller) -> Answer[ChannelView]:
    """Remove the caller's block. A block by the channel's other member stays."""
    return respond.ok(channel_view(await service.block(db, caller, channel_id, blocked=False)))
