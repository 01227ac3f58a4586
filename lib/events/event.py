"""An event between services, and its encoding in a stream."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

import msgspec

T = TypeVar("T")

PREFIX: Final = "events:"


class MalformedEventError(ValueError):
    """An entry of a stream that is not a valid event."""


class Event(msgspec.Struct, frozen=True):
    """An event. Events of one topic and `key` arrive in the order in which they were written."""

    id: UUID
    topic: str
    key: str
    kind: str
    payload: str
    request_id: str
    traceparent: str
    created_at: datetime

    def decode(self, spec: type[T]) -> T:
        """Decode the payload as a value of the type `spec`.

        Raises msgspec.ValidationError if the payload is not such a value.
        """
        return msgspec.json.decode(self.payload, type=spec)

    def fields(self) -> dict[str, str]:
        """Return the fields of a stream entry."""
        return {
            "id": str(self.id),
            "topic": self.topic,
            "key": self.key,
            "kind": self.kind,
            "payload": self.payload,
            "request_id": self.request_id,
            "traceparent": self.traceparent,
            "created_at": self.created_at.isoformat(),
        }

    @classmethod
    def from_fields(cls, fields: Mapping[bytes, bytes]) -> Event:
        """Decode an event from the fields of a stream entry.

        Raises:
            MalformedEventError: if a field is missing or has an invalid value.
        """
        try:
            texts = {name.decode(): value.decode() for name, value in fields.items()}
            return msgspec.convert(texts, cls)
        except (UnicodeDecodeError, msgspec.ValidationError) as error:
            raise MalformedEventError(str(error)) from None


def stream_of(topic: str) -> str:
    """Return the Redis key of a topic's stream."""
    return PREFIX + topic


def dead_letters_of(topic: str) -> str:
    """Return the Redis key of a topic's dead letters.

    The text in braces selects the node of a Redis Cluster. It is the same as for the stream, so one
    atomic step can move an event between the two keys.
    """
    return f"{{{PREFIX}{topic}}}:dead"
