"""Listen to the notifications of PostgreSQL, and encode their payloads."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from enum import Enum
from inspect import get_annotations
from math import isfinite, isnan
from typing import Any, Generic, Protocol, Self, TypeVar, cast
from uuid import UUID

T = TypeVar("T")
MOST_BYTES = 7999
"""The size of the largest payload that PostgreSQL sends."""


class NotificationError(Exception):
    """Raised if a notification cannot be sent or received; `channel` is the channel's name."""

    def __init__(self, channel: str, reason: str) -> None:
        super().__init__(f"channel {channel!r}: {reason}")
        self.channel = channel


class PayloadError(NotificationError):
    """Raised for a payload that does not have the declared structure, or is too large to send."""


class ListenerLostError(NotificationError):
    """Raised after the connection is closed: later notifications do not arrive."""


class ListenerFullError(NotificationError):
    """Raised after the consumer was too slow: later notifications are discarded."""


class ListenConnection(Protocol):
    """Receives notifications. Pass an asyncpg connection, outside a transaction."""

    async def add_listener(self, channel: str, callback: Callable[..., Any]) -> None:
        """Listen to a channel."""
        ...

    async def remove_listener(self, channel: str, callback: Callable[..., Any]) -> None:
        """Remove a listener, and stop listening to the channel if it was the last one."""
        ...

    def add_termination_listener(self, callback: Callable[..., Any]) -> None:
        """Call a function when the connection is closed."""
        ...

    def remove_termination_listener(self, callback: Callable[..., Any]) -> None:
        """Remove a function that would be called when the connection is closed."""
        ...

    def is_closed(self) -> bool:
        """Return whether the connection is closed."""
        ...

    def is_in_transaction(self) -> bool:
        """Return whether a transaction is open."""
        ...


class Listener(Generic[T]):
    """Receives the notifications of one channel, within `async with`.

    Iterate to get the payloads. At most `size` notifications wait for the consumer. If another one
    arrives, it and all later ones are discarded; the consumer gets those that wait, and then
    `ListenerFullError`. If the connection is lost, the consumer gets those that wait, and then
    `ListenerLostError`. For a payload that cannot be decoded, the iterator raises `PayloadError`;
    the next iteration continues with the next payload.
    """

    def __init__(
        self, connection: ListenConnection, channel: str, decode: Callable[[str], T], size: int
    ) -> None:
        if size < 1:
            message = f"a queue of {size} notifications has no notification"
            raise ValueError(message)
        self.channel = channel
        self._connection = connection
        self._decode = decode
        self._size = size
        self._waiting: deque[str] = deque()
        self._arrived = asyncio.Event()
        self._end: Callable[[], NotificationError] | None = self._not_listening
        self._closing: asyncio.Future[None] | None = None

    async def __aenter__(self) -> Self:
        """Start listening."""
        if self._connection.is_closed():
            raise self._closed()
        if self._connection.is_in_transaction():
            raise NotificationError(
                self.channel, "in a transaction, LISTEN has no effect before its commit"
            )
        if self._end != self._not_listening:
            raise NotificationError(self.channel, "this listener is already in use")
        self._waiting.clear()
        self._end = None
        self._connection.add_termination_listener(self._lost)
        adding = asyncio.ensure_future(self._connection.add_listener(self.channel, self._receive))
        try:
            await asyncio.shield(adding)
        except BaseException:
            await self._close(adding)
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        """Stop listening."""
        await self._close(None)

    def __aiter__(self) -> Self:
        """Return the iterator over the payloads."""
        return self

    async def __anext__(self) -> T:
        """Wait for the next notification, and return its payload."""
        while not self._waiting:
            if self._end is not None:
                raise self._end()
            self._arrived.clear()
            await self._arrived.wait()
        payload = self._waiting.popleft()
        try:
            return self._decode(payload)
        except Exception as error:
            reason = str(error) if payload else "it is empty, as after pg_notify with NULL"
            raise PayloadError(self.channel, f"a payload cannot be decoded: {reason}") from error

    async def _close(self, adding: asyncio.Future[None] | None) -> None:
        """Stop listening, even if the caller is cancelled again."""
        self._end = self._not_listening
        self._arrived.set()
        self._closing = asyncio.ensure_future(self._remove(adding))
        await asyncio.shield(self._closing)

    async def _remove(self, adding: asyncio.Future[None] | None) -> None:
        if adding is not None:
            await asyncio.wait([adding])
        self._connection.remove_termination_listener(self._lost)
        if not self._connection.is_closed():
            await self._connection.remove_listener(self.channel, self._receive)

    def _receive(self, _connection: object, _process: object, _channel: object, text: str) -> None:
        if self._end is None and len(self._waiting) < self._size:
            self._waiting.append(text)
        elif self._end is None:
            self._end = self._full
        self._arrived.set()

    def _lost(self, *_: object) -> None:
        if self._end is None:
            self._end = self._closed
        self._arrived.set()

    def _not_listening(self) -> NotificationError:
        return NotificationError(self.channel, "not listening: use `async with`")

    def _full(self) -> NotificationError:
        reason = f"{self._size} notifications waited, and later ones are discarded"
        return ListenerFullError(self.channel, reason)

    def _closed(self) -> NotificationError:
        return ListenerLostError(self.channel, "the connection is closed")


def encoded(payload: object, channel: str, decode: Callable[[str], object]) -> str:
    """Return the text of a payload that `decode` accepts. Raises `PayloadError`."""
    try:
        text = payload if decode is str and isinstance(payload, str) else _json(payload)
        size = len(text.encode())
        decode(text)
    except Exception as error:
        raise PayloadError(channel, f"the payload cannot be sent: {error}") from error
    if size > MOST_BYTES:
        reason = f"the payload has {size} bytes, but PostgreSQL sends at most {MOST_BYTES}"
        raise PayloadError(channel, reason)
    return text


def _json(value: object) -> str:
    """Return a value as JSON, in the form in which PostgreSQL writes it."""
    if isinstance(value, Enum):
        return _json(value.value)
    if value is None or isinstance(value, str | bool | int):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, float | Decimal):
        return _number(value)
    if isinstance(value, bytes):
        return json.dumps(f"\\x{value.hex()}")
    if isinstance(value, date | time):
        return json.dumps(value.isoformat())
    if isinstance(value, UUID):
        return json.dumps(str(value))
    if isinstance(value, list | tuple):
        items = cast("list[object]", value)
        return f"[{','.join(map(_json, items))}]"
    if isinstance(value, dict):
        members = cast("dict[str, object]", value)
    else:
        members = {name: getattr(value, name) for name in get_annotations(type(value))}
    inside = (f"{json.dumps(str(key))}:{_json(item)}" for key, item in members.items())
    return f"{{{','.join(inside)}}}"


def _number(value: float | Decimal) -> str:
    """Return a number as JSON; NaN and infinity become texts, because JSON cannot express them."""
    if isfinite(value):
        return format(value, "f") if isinstance(value, Decimal) else repr(value)
    if isnan(value):
        return '"NaN"'
    return '"Infinity"' if value > 0 else '"-Infinity"'
