"""Routes of messages: history, and sending without a socket."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from lib.auth import require_principal
from lib.auth.permissions import permission
from lib.errors import Code
from lib.http import respond
from lib.http.app import Db
from lib.http.respond import Answer, Created
from lib.http.routes import Id, Routes, of_app, signed_in
from lib.log import get_logger
from services.chat.keys import CHAT
from services.chat.routes.callers import Caller
from services.chat.service import channels as channel_service
from services.chat.service import messages as service
from services.chat.service.chat import Chat
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

_MODERATE: Final = permission("chats:moderate")
_Chat: TypeAlias = Annotated[Chat, of_app(CHAT)]
route: Final = Routes("messages")


@route(
    "GET /api/v1/channels/{id}/messages",
    "List messages",
    Code.NOT_FOUND,
    access=signed_in(),
)
async def list_messages(
    db: Db, channel_id: Id, wanted: HistoryQuery, caller: Caller
) -> Answer[History]:
    """Return messages, newest first, to members and moderators. Moderator access is logged."""
    if require_principal().may(_MODERATE):
        channel = await channel_service.get(db, channel_id)
        if caller not in (channel.customer_id, channel.provider_id):
            log.info("channel_moderated", channel_id=str(channel_id), moderator=str(caller))
    else:
        await channel_service.members(db, caller, channel_id)
    found = await service.history(db, channel_id, before=wanted.before, limit=wanted.limit)
    return respond.ok(history_view(found, wanted.limit))


@route(
    "POST /api/v1/channels/{id}/messages",
    "Send a message",
    Code.NOT_FOUND,
    Code.CONFLICT,
    Code.IDEMPOTENCY_KEY_REUSED,
    access=signed_in(),
    replay_description="a message with this `client_id` was sent earlier",
)
async def send_message(
    chat: _Chat, channel_id: Id, new: NewMessage, caller: Caller
) -> Created[Message]:
    """Store a message. A repeated `client_id` returns the stored message with 200."""
    stored = await chat.send(caller, channel_id, new.client_id, new.text)
    return respond.made(stored.message, before=stored.replayed)


@route(
    "PUT /api/v1/channels/{id}/read", "Mark messages as read", Code.NOT_FOUND, access=signed_in()
)
async def mark_read(
    chat: _Chat, channel_id: Id, wanted: ReadUpTo, caller: Caller
) -> Answer[ReadMark]:
    """Move the caller's read position forward and notify the channel's other member."""
    sequence = await chat.mark_read(caller, channel_id, wanted.message_id)
    return respond.ok(ReadMark(channel_id, wanted.message_id, sequence))
