"""An event on its way between services, and how it is written into a stream."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

import msgspec

T = TypeVar("T")

PREFIX: Final = "events:"


class MalformedEventError(ValueError):
    """An entry of a stream that is no event of ours."""


class Event(msgspec.Struct, frozen=True):
    """A fact. `key` orders: events of one topic and key arrive in the order they were written."""

    id: UUID
    topic: str
    key: str
    kind: str
    payload: str
    request_id: str
    traceparent: str
    created_at: datetime

    def decode(self, spec: type[T]) -> T:
        """Return the payload as a `spec`; raises msgspec.ValidationError where it is none."""
        return msgspec.json.decode(self.payload, type=spec)

    def fields(self) -> dict[str, str]:
        """Return what an entry of the stream holds."""
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
        """Read an entry back.

        Raises:
            MalformedEventError: where a field is missing or is not what it should be.
        """
        try:
            texts = {name.decode(): value.decode() for name, value in fields.items()}
            return msgspec.convert(texts, cls)
        except (UnicodeDecodeError, msgspec.ValidationError) as error:
            raise MalformedEventError(str(error)) from None


def stream_of(topic: str) -> str:
    """Return the key of the stream that carries a topic."""
    return PREFIX + topic


def dead_letters_of(topic: str) -> str:
    """Return the key of the stream where a topic's undeliverable events are kept.

    In braces is what a Redis Cluster places it by: beside the stream, so that one step moves an
    event from one to the other.
    """
    return f"{{{PREFIX}{topic}}}:dead"
