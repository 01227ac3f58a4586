"""One's channels over HTTP."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from aiohttp import web

from lib.errors import Code
from lib.http import decode, respond
from lib.http.app import DATABASE
from lib.http.openapi import operation
from services.chat.routes.callers import user_id
from services.chat.service import channels as service
from services.chat.views import ChannelQuery, ChannelView, channel_view

_TAGS: Final = ("channels",)


@operation(
    summary="List one's channels",
    tags=_TAGS,
    query=ChannelQuery,
    returns=list[ChannelView],
    paged=True,
)
async def list_channels(request: web.Request) -> web.Response:
    """The one with the newest message first."""
    wanted, caller, db = decode.query(request, ChannelQuery), user_id(), request.app[DATABASE]
    rows, total = await service.list_mine(
        db, caller, wanted, kind=wanted.kind, subject_id=wanted.subject_id
    )
    return respond.page([channel_view(row) for row in rows], wanted, total)


@operation(
    summary="Get one of one's channels",
    tags=_TAGS,
    path={"id": UUID},
    returns=ChannelView,
    errors=(Code.NOT_FOUND,),
)
async def get_channel(request: web.Request) -> web.Response:
    """A channel of others is answered like one that does not exist."""
    channel_id = decode.path_uuid(request)
    found = await service.get_mine(request.app[DATABASE], user_id(), channel_id)
    return respond.ok(channel_view(found))


ROUTES: Final = (
    web.get("/api/v1/channels", list_channels),
    web.get("/api/v1/channels/{id}", get_channel),
)
