"""Messages: stored once, read in pages, marked as read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from lib.db import Executor
from lib.errors import AppError, Code, FieldError, invalid
from lib.ids import new_id
from services.chat.service import channels
from services.chat.store import channels as channel_store
from services.chat.store import messages as store
from services.chat.store.models import Message


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored message, the members of its channel, and whether an earlier request stored it."""

    message: Message
    members: tuple[UUID, UUID]
    replayed: bool


async def send(
    db: Executor,
    *,
    channel_id: UUID,
    author_id: UUID,
    client_id: str,
    text: str,
    ended_before: datetime,
) -> Stored:
    """Store a message, or return the stored message if the author has sent it before.

    Raises:
        AppError: NOT_FOUND if the author is not a member of the channel; FORBIDDEN and CONFLICT as
            in `channels.check_writable`; IDEMPOTENCY_KEY_REUSED if the client ID belongs to another
            text.
    """
    message_id = new_id()
    placed = await store.add_message(
        db,
        id=message_id,
        channel_id=channel_id,
        author_id=author_id,
        client_id=client_id,
        text=text,
        ended_before=ended_before,
    )
    if placed is None:
        earlier = await _earlier(db, channel_id, author_id, client_id, text)
        if earlier is None:
            await channels.check_writable(db, author_id, channel_id, ended_before=ended_before)
            # It may be written in again since it was refused.
            raise AppError(Code.CONFLICT, "the channel has just changed; send the message again")
        return earlier
    message = Message(
        message_id, channel_id, placed.sequence, author_id, client_id, text, placed.created_at
    )
    return Stored(message, (placed.customer_id, placed.provider_id), replayed=False)


async def history(
    db: Executor, channel_id: UUID, *, before: UUID | None, limit: int
) -> list[Message]:
    """Return up to `limit` + 1 messages, newest first.

    Raises:
        AppError: VALIDATION_ERROR if `before` is not a message of the channel.
    """
    below = None
    if before is not None:
        below = (await _message(db, channel_id, before, field="before")).sequence
    return await store.list_older(db, channel_id=channel_id, below=below, most=limit + 1)


async def mark_read(
    db: Executor, *, channel_id: UUID, user_id: UUID, message_id: UUID
) -> tuple[int, bool]:
    """Move the user's read position in the channel forward, never back.

    Return the message's sequence number, and whether the position moved.

    Raises:
        AppError: NOT_FOUND if the user is not a member of the channel; VALIDATION_ERROR if the
            message does not belong to the channel.
    """
    await channels.members(db, user_id, channel_id)
    message = await _message(db, channel_id, message_id, field="message_id")
    moved = await channel_store.mark_read(
        db, channel_id=channel_id, user_id=user_id, message_id=message_id
    )
    return message.sequence, moved is not None


async def _message(db: Executor, channel_id: UUID, message_id: UUID, *, field: str) -> Message:
    found = await store.get_message(db, id=message_id, channel_id=channel_id)
    if found is None:
        raise invalid(FieldError(field, "is not a message of this channel"))
    return found


async def _earlier(
    db: Executor, channel_id: UUID, author_id: UUID, client_id: str, text: str
) -> Stored | None:
    found = await store.get_sent(
        db, channel_id=channel_id, author_id=author_id, client_id=client_id
    )
    if found is None:
        return None
    if found.text != text:
        raise AppError(
            Code.IDEMPOTENCY_KEY_REUSED, "this client_id was used for another text in this channel"
        )
    message = Message(
        found.id,
        found.channel_id,
        found.sequence,
        found.author_id,
        found.client_id,
        found.text,
        found.created_at,
    )
    return Stored(message, (found.customer_id, found.provider_id), replayed=True)
