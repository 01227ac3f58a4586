"""Messages over HTTP: history, and sending for who has no socket."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from aiohttp import web

from lib.auth import require_principal, require_verified
from lib.errors import Code
from lib.http import decode, respond
from lib.http.app import DATABASE
from lib.http.middleware.auth import guarded
from lib.http.openapi import operation
from lib.log import get_logger
from services.chat.keys import CHAT
from services.chat.routes.callers import user_id
from services.chat.service import channels as channel_service
from services.chat.service import messages as service
from services.chat.store.models import Message
from services.chat.views import (
    History,
    HistoryQuery,
    NewMessage,
    ReadMark,
    ReadUpTo,
    history_view,
)

log = get_logger(__name__)

_TAGS: Final = ("messages",)
_ID: Final = {"id": UUID}
_MODERATE: Final = "chats:moderate"


@operation(
    summary="Read a channel's messages",
    tags=_TAGS,
    path=_ID,
    query=HistoryQuery,
    returns=History,
    errors=(Code.NOT_FOUND,),
)
async def list_messages(request: web.Request) -> web.Response:
    """Newest first. For the members, and for who moderates, which leaves a line in the log."""
    channel_id, db = decode.path_uuid(request), request.app[DATABASE]
    wanted = decode.query(request, HistoryQuery)
    caller, moderates = user_id(), require_principal().may(_MODERATE)
    if moderates:
        channel = await channel_service.get(db, channel_id)
        if caller not in (channel.customer_id, channel.provider_id):
            log.info("channel_moderated", channel_id=str(channel_id), moderator=str(caller))
    else:
        await channel_service.members(db, caller, channel_id)
    found = await service.history(db, channel_id, before=wanted.before, limit=wanted.limit)
    return respond.ok(history_view(found, wanted.limit))


@guarded(require_verified)
@operation(
    summary="Send a message",
    tags=_TAGS,
    path=_ID,
    body=NewMessage,
    returns=Message,
    status=201,
    errors=(Code.NOT_FOUND, Code.IDEMPOTENCY_KEY_REUSED),
)
async def send_message(request: web.Request) -> web.Response:
    """Stored once: with a `client_id` used before the answer is the message sent then, and 200."""
    channel_id, new = decode.path_uuid(request), await decode.body(request, NewMessage)
    stored = await request.app[CHAT].send(user_id(), channel_id, new.client_id, new.text)
    return respond.ok(stored.message, status=200 if stored.replayed else 201)


@guarded(require_verified)
@operation(
    summary="Mark messages as read",
    tags=_TAGS,
    path=_ID,
    body=ReadUpTo,
    returns=ReadMark,
    errors=(Code.NOT_FOUND,),
)
async def mark_read(request: web.Request) -> web.Response:
    """The mark moves forward only; the other member is told."""
    channel_id, wanted = decode.path_uuid(request), await decode.body(request, ReadUpTo)
    sequence = await request.app[CHAT].mark_read(user_id(), channel_id, wanted.message_id)
    return respond.ok(ReadMark(channel_id, wanted.message_id, sequence))


_SENT: Final = send_message.__apispec__["responses"]  # type: ignore[attr-defined] # described above
_SENT["200"] = {**_SENT["201"], "description": "it had been sent before"}

ROUTES: Final = (
    web.get("/api/v1/channels/{id}/messages", list_messages),
    web.post("/api/v1/channels/{id}/messages", send_message),
    web.put("/api/v1/channels/{id}/read", mark_read),
)
