"""Listen to the notifications of PostgreSQL, and encode their payloads."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import date, time
from decimal import Decimal
from enum import Enum
from math import isfinite, isnan
from typing import Any, Generic, Protocol, Self, TypeVar, cast
from uuid import UUID
from weakref import ref

T = TypeVar("T")
MOST_BYTES = 7999
"""The maximum size in bytes of a payload that PostgreSQL sends."""


class NotificationError(Exception):
    """Raised if a notification cannot be sent or received; `channel` is the channel's name."""

    def __init__(self, channel: str, reason: str) -> None:
        super().__init__(f"channel {channel!r}: {reason}")
        self.channel = channel


class PayloadError(NotificationError):
    """Raised for a payload that does not have the declared structure, or is too large to send."""


class ListenerLostError(NotificationError):
    """Raised after the connection is closed or reset: later notifications do not arrive."""


class ListenerFullError(NotificationError):
    """Raised after the consumer was too slow: later notifications are discarded."""


class ListenConnection(Protocol):
    """Receives notifications. Pass an asyncpg connection, outside a transaction."""

    async def add_listener(self, channel: str, callback: Callable[..., Any]) -> None:
        """Listen to a channel."""
        ...

    async def remove_listener(self, channel: str, callback: Callable[..., Any]) -> None:
        """Remove a listener; if it was the last listener, stop listening to the channel."""
        ...

    def is_closed(self) -> bool:
        """Return whether the connection is closed."""
        ...

    def is_in_transaction(self) -> bool:
        """Return whether a transaction is open."""
        ...


class Listener(Generic[T]):
    """Receives the notifications of one channel, within `async with`.

    Iterate over the listener to get the payloads. At most `size` notifications wait for the
    consumer. If another notification arrives, it and all later ones are discarded. The consumer
    gets the waiting notifications, and then `ListenerFullError`. If the connection is lost, the
    consumer gets the waiting notifications, and then `ListenerLostError`. For a payload that cannot
    be decoded, the iterator raises `PayloadError`; the next iteration continues with the next
    payload.
    """

    def __init__(
        self, connection: ListenConnection, channel: str, decode: Callable[[str], T], size: int
    ) -> None:
        if size < 1:
            message = f"size must be at least 1, not {size}"
            raise ValueError(message)
        self.channel = channel
        self._connection = connection
        self._decode = decode
        self._size = size
        self._waiting: deque[str] = deque()
        self._arrived = asyncio.Event()
        self._end: Callable[[], NotificationError] | None = self._not_listening
        self._closing: asyncio.Future[None] | None = None
        self._registered: Callable[[], Callable[..., None] | None] = lambda: None

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
        adding = asyncio.ensure_future(self._added())
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
        receive = self._registered()
        if receive is not None and not self._connection.is_closed():
            await self._connection.remove_listener(self.channel, receive)

    async def _added(self) -> None:
        """Register a callback to which only the connection refers.

        A connection that is closed, reset or released to its pool does not notify its functions,
        but it deletes its references to them.
        """

        def receive(_connection: object, _process: object, _channel: object, text: str) -> None:
            self._receive(text)

        self._registered = ref(receive, self._lost)
        await self._connection.add_listener(self.channel, receive)

    def _receive(self, text: str) -> None:
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
        reason = f"{self._size} notifications are waiting, so later ones are discarded"
        return ListenerFullError(self.channel, reason)

    def _closed(self) -> NotificationError:
        closed = False
        with suppress(Exception):  # the driver refuses the call after a release
            closed = self._connection.is_closed()
        reason = "is closed" if closed else "was reset, or released to its pool"
        return ListenerLostError(self.channel, f"the connection {reason}")


def encoded(payload: object, channel: str, decode: Callable[[str], object]) -> str:
    """Return a payload as text. Raises `PayloadError` if `decode` does not accept the text."""
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
    if isinstance(value, list | tuple | set | frozenset):
        return f"[{','.join(map(_json, cast('list[object]', value)))}]"
    if not isinstance(value, dict):
        return _json(_members(value))
    inside = (f"{json.dumps(key)}:{_json(item)}" for key, item in _keyed(value).items())
    return f"{{{','.join(inside)}}}"


def _keyed(members: Any) -> dict[str, Any]:
    """Return a dict whose keys are converted to texts, as JSON requires."""
    found = {_key(key): item for key, item in members.items()}
    if len(found) < len(members):
        message = "two keys of a dict become the same text in JSON"
        raise TypeError(message)
    return found


def _key(key: object) -> str:
    if isinstance(key, Enum):
        return _key(key.value)
    if isinstance(key, str):
        return key
    if isinstance(key, int | UUID) and not isinstance(key, bool):
        return str(key)
    raise _unknown(key, "a key")


def _members(value: Any) -> Any:
    """Return an object's members by their JSON names, or a list for a msgspec array.

    A member that is None is left out if None is its default, because the decoder restores it.
    """
    kind = cast("Any", type(value))
    if hasattr(kind, "__pydantic_serializer__"):
        write = kind.__pydantic_serializer__.to_python
        return write(value, by_alias=True, exclude=_absent(value), warnings=False)
    if hasattr(kind, "__struct_config__"):
        return _of_struct(value)
    if is_dataclass(value):
        defaults: dict[str, Any] = {field.name: field.default for field in fields(value)}
    elif hasattr(kind, "__attrs_attrs__"):
        defaults = {field.name: field.default for field in kind.__attrs_attrs__}
    else:
        raise _unknown(value, "a value")
    return _present([(name, getattr(value, name), default) for name, default in defaults.items()])


def _of_struct(value: Any) -> Any:
    """Return the members of a msgspec Struct by their names in JSON, or a list of members."""
    config, names = value.__struct_config__, value.__struct_fields__
    items = [getattr(value, name) for name in names]
    if config.array_like:
        return items if config.tag is None else [config.tag, *items]
    required: list[object] = [...] * (len(names) - len(value.__struct_defaults__))
    defaults = [*required, *value.__struct_defaults__]
    members = _present(zip(value.__struct_encode_fields__, items, defaults, strict=True))
    return members if config.tag is None else {config.tag_field: config.tag, **members}


def _present(members: Iterable[tuple[str, Any, Any]]) -> dict[str, Any]:
    return {
        name: item
        for name, item, default in members
        if not (item is None and default is None) and type(item).__name__ != "UnsetType"
    }


def _absent(value: Any) -> Any:
    """Return as the argument `exclude` the members that pydantic must leave out."""
    if hasattr(value, "__pydantic_fields__"):
        inside: dict[Any, Any] = {name: getattr(value, name) for name in value.__pydantic_fields__}
        absent: dict[Any, Any] = {
            name: True
            for name, field in value.__pydantic_fields__.items()
            if inside[name] is None and field.default is None
        }
    elif isinstance(value, dict | list | tuple):
        named = isinstance(value, dict)
        inside = cast("Any", value) if named else dict(enumerate(cast("list[Any]", value)))
        absent = {}
    else:
        return {}
    return absent | {name: found for name, item in inside.items() if (found := _absent(item))}


def _unknown(value: object, role: str) -> TypeError:
    return TypeError(f"{role} of the type {type(value).__qualname__} cannot be written as JSON")


def _number(value: float | Decimal) -> str:
    """Return a number as JSON; NaN and infinity become texts, because JSON cannot express them."""
    if isfinite(value):
        return format(value, "f") if isinstance(value, Decimal) else repr(value)
    if isnan(value):
        return '"NaN"'
    return '"Infinity"' if value > 0 else '"-Infinity"'
