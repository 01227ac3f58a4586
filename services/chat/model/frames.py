"""Frames on a socket: JSON objects, distinguished by `type`. See docs/chat.md."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta

from lib.errors import AppError, Code, FieldError, invalid
from lib.resource.field_errors import collect, from_message
from lib.resource.messages import not_json
from lib.texts import BLANK, END, NOT_BLANK

PROTOCOL: Final = "chat.v1"
# In bytes: a frame over the first is refused, a socket with one over the second is closed.
MAX_FRAME: Final = 64 * 1024
MAX_INCOMING: Final = 2 * MAX_FRAME
MAX_RESUMED: Final = 1000

Text = Annotated[
    str,
    Meta(
        examples=["Shall I turn the water off?"],
        min_length=1,
        max_length=4000,
        pattern=NOT_BLANK,
        extra=BLANK,
    ),
]
ClientId = Annotated[
    str, Meta(examples=["1"], min_length=1, max_length=64, pattern=rf"^[!-~]+{END}")
]
Sequence = Annotated[int, Meta(ge=0, le=2**63 - 1)]


class Incoming(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="type"):
    """A frame from a client. An unknown field is an error, because it is probably misspelled."""


class Resume(Incoming, frozen=True, tag="resume"):
    """Request all missed messages, then all new messages.

    `channels` maps a channel's ID to the sequence number after which the client missed messages.
    """

    channels: Annotated[dict[UUID, Sequence], Meta(max_length=MAX_RESUMED)] = {}


class Send(Incoming, frozen=True, tag="send"):
    """Send a message. If its `client_id` was used in the channel before, nothing new is stored."""

    client_id: ClientId
    channel_id: UUID
    text: Text


class Read(Incoming, frozen=True, tag="read"):
    """The message up to which the client's user has read the channel."""

    channel_id: UUID
    message_id: UUID


class Typing(Incoming, frozen=True, tag="typing"):
    """The user is typing. Clients repeat the frame every few seconds."""

    channel_id: UUID


class Presence(Incoming, frozen=True, tag="presence"):
    """Request the online status of the channel's other member, now and after every change."""

    channel_id: UUID


class Ping(Incoming, frozen=True, tag="ping"):
    """A heartbeat for browsers, whose scripts cannot see the protocol's own pings."""


ClientFrame: TypeAlias = Resume | Send | Read | Typing | Presence | Ping


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The first frame from the server. Nothing is delivered until the client sends `resume`."""

    user_id: UUID
    expires_at: datetime
    heartbeat_seconds: float


class Resumed(msgspec.Struct, frozen=True, tag="resumed"):
    """The client has received all missed messages.

    `channels` maps each channel's ID to the sequence number of the last message sent to the client.
    """

    channels: dict[UUID, int]


class Ack(msgspec.Struct, frozen=True, tag="ack"):
    """The server has stored the client's message; the frame has the message's sequence number."""

    client_id: str
    channel_id: UUID
    message_id: UUID
    sequence: int
    created_at: datetime


class Delivered(msgspec.Struct, frozen=True, tag="message"):
    """A message, delivered in channel order. The author's own sockets receive the message too."""

    channel_id: UUID
    message_id: UUID
    sequence: int
    author_id: UUID
    client_id: str
    text: str
    created_at: datetime


class WasRead(msgspec.Struct, frozen=True, tag="read"):
    """A member has read all messages up to this message."""

    channel_id: UUID
    user_id: UUID
    message_id: UUID
    sequence: int


class IsTyping(msgspec.Struct, frozen=True, tag="typing"):
    """The channel's other member is typing. The state expires after `seconds`."""

    channel_id: UUID
    user_id: UUID
    seconds: float


class IsPresent(msgspec.Struct, frozen=True, tag="presence"):
    """`online` is true while the channel's other member has an open socket."""

    channel_id: UUID
    user_id: UUID
    online: bool


class Pong(msgspec.Struct, frozen=True, tag="pong"):
    """The response to `ping`."""


class Refused(msgspec.Struct, frozen=True, tag="error", omit_defaults=True):
    """A frame was refused. `client_id` and `channel_id` are copied from the frame, if present."""

    code: Code
    message: str
    client_id: str | None = None
    channel_id: UUID | None = None
    details: tuple[FieldError, ...] = ()
    retry_after: float | None = None


encode: Final = msgspec.json.Encoder().encode
_NOT_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_decoder: Final[msgspec.json.Decoder[ClientFrame]] = msgspec.json.Decoder(ClientFrame)
_BY_TYPE: Final[dict[str, type[msgspec.Struct]]] = {
    str(kind.__struct_config__.tag): kind for kind in (Resume, Send, Read, Typing, Presence, Ping)
}


def decode(raw: bytes) -> ClientFrame:
    """Read a frame.

    Raises:
        AppError: PAYLOAD_TOO_LARGE; BAD_REQUEST if the frame is not JSON or has an unknown `type`;
            VALIDATION_ERROR for an invalid field.
    """
    if len(raw) > MAX_FRAME:
        raise AppError(Code.PAYLOAD_TOO_LARGE, f"a frame can have at most {MAX_FRAME} bytes")
    # PostgreSQL cannot store NUL in text; the escape is its only spelling in JSON.
    if b"\\u0000" in raw:
        raise AppError(Code.BAD_REQUEST, "the frame contains a NUL character")
    try:
        return _decoder.decode(raw)
    except msgspec.ValidationError as error:
        raise _invalid(raw, error) from None
    except _NOT_JSON as error:
        raise _not_json(error) from None


def _invalid(raw: bytes, error: Exception) -> AppError:
    try:
        # The decoder stopped at the first misfit; what follows need not even be JSON.
        whole = msgspec.json.decode(raw)
    except _NOT_JSON as broken:
        return _not_json(broken)
    spec = _BY_TYPE.get(str(whole.pop("type", None))) if isinstance(whole, dict) else None
    if spec is None:
        kinds = ", ".join(sorted(_BY_TYPE))
        return AppError(
            Code.BAD_REQUEST, f"a frame must be an object whose type is one of: {kinds}"
        )
    return invalid(*(collect(whole, spec, strict=True) or (from_message(str(error)),)))


def _not_json(error: Exception) -> AppError:
    return AppError(Code.BAD_REQUEST, not_json("the frame", error))


def refusal(error: AppError, raw: bytes = b"") -> Refused:
    """Return the frame that reports an error. `raw` is the refused frame."""
    retry_after = error.headers.get("Retry-After")
    about = _about(raw)
    return Refused(
        code=error.code,
        message=error.message,
        client_id=about.client_id,
        channel_id=about.channel_id,
        details=error.details,
        retry_after=None if retry_after is None else float(retry_after),
    )


class _About(msgspec.Struct):
    """The IDs of a frame, which are read even if the rest of the frame is invalid."""

    client_id: ClientId | None = None
    channel_id: UUID | None = None


_about_decoder: Final = msgspec.json.Decoder(_About)


def _about(raw: bytes) -> _About:
    try:
        return _about_decoder.decode(raw)
    except _NOT_JSON:
        return _About()
