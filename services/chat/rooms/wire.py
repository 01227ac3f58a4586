"""Wire formats: frames for sockets, and messages between replicas in Redis."""

from __future__ import annotations

from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec

from services.chat.model import frames
from services.chat.store.models import Message

_FINAL_TEXT: Final = 0x81


class Posted(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="m"):
    """A stored message. If `frame` is empty, the receiver reads the message from the database."""

    channel_id: UUID
    sequence: int
    members: tuple[UUID, UUID]
    frame: bytes


class Whispered(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="w"):
    """A frame for the users in `to` that is delivered but not stored, such as a typing notice."""

    to: tuple[UUID, ...]
    frame: bytes


class Seen(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="p"):
    """A user has connected or disconnected."""

    user_id: UUID
    online: bool


class Gone(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="g"):
    """The account of a user was deactivated or deleted."""

    user_id: UUID


class Ended(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="e"):
    """Sessions of a user have ended."""

    user_id: UUID
    sessions: tuple[UUID, ...]


Said: TypeAlias = Posted | Whispered | Seen | Gone | Ended

encode_said: Final = msgspec.msgpack.Encoder().encode
decode_said: Final = msgspec.msgpack.Decoder(list[Said]).decode


def text_frame(payload: bytes) -> bytes:
    """Return a complete WebSocket frame of a server (RFC 6455 §5.2).

    The frame is built once for all sockets that receive the message; the library would build it for
    each socket.
    """
    size = len(payload)
    if size < 126:
        return bytes((_FINAL_TEXT, size)) + payload
    if size < 65536:
        return bytes((_FINAL_TEXT, 126)) + size.to_bytes(2, "big") + payload
    return bytes((_FINAL_TEXT, 127)) + size.to_bytes(8, "big") + payload


def framed(frame: Any) -> bytes:
    """Return a Struct of `model.frames` as a WebSocket frame."""
    return text_frame(frames.encode(frame))


def delivered(message: Message) -> bytes:
    """Return the frame that delivers a message."""
    return framed(
        frames.Delivered(
            channel_id=message.channel_id,
            message_id=message.id,
            sequence=message.sequence,
            author_id=message.author_id,
            client_id=message.client_id,
            text=message.text,
            created_at=message.created_at,
        )
    )
