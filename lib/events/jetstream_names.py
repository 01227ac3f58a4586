"""How topics are named in JetStream, and how entries are written."""

from __future__ import annotations

import msgspec

from lib.events.broker import Fields
from lib.events.outbox import lane_of


def stream_name(topic: str) -> str:
    """Return the name of the stream that carries a topic."""
    return f"events-{topic}"


def dead_name(topic: str) -> str:
    """Return the name and subject of the stream that keeps a topic's dead letters."""
    return f"dead-{topic}"


def subject_of(topic: str, key: str) -> str:
    """Return the subject of a key: that of its lane, so that its entries keep their order."""
    return f"events.{topic}.{lane_of(key)}"


def body(fields: Fields) -> bytes:
    """Return how an entry is written."""
    texts = {
        name.decode(errors="replace"): value.decode(errors="replace")
        for name, value in fields.items()
    }
    return msgspec.json.encode(texts)


def fields_of(data: bytes) -> Fields:
    """Read an entry; one that is none of ours is kept as it is, for the dead letters."""
    try:
        texts = msgspec.json.decode(data, type=dict[str, str])
    except msgspec.DecodeError:
        return {b"data": data}
    return {name.encode(): value.encode() for name, value in texts.items()}
