"""Names of topics in JetStream, and the encoding of entries."""

from __future__ import annotations

import msgspec

from lib.events.broker import Fields
from lib.events.outbox import lane_of


def stream_name(topic: str) -> str:
    """Return the stream name of a topic."""
    return f"events-{topic}"


def dead_name(topic: str) -> str:
    """Return the stream name and subject of a topic's dead letters."""
    return f"dead-{topic}"


def subject_of(topic: str, key: str) -> str:
    """Return the subject of the key's lane, which preserves the order of entries."""
    return f"events.{topic}.{lane_of(key)}"


def body(fields: Fields) -> bytes:
    """Return the encoded fields of an entry."""
    texts = {
        name.decode(errors="replace"): value.decode(errors="replace")
        for name, value in fields.items()
    }
    return msgspec.json.encode(texts)


def fields_of(data: bytes) -> Fields:
    """Decode an entry. Data that is not a JSON object of texts becomes one field, `data`."""
    try:
        texts = msgspec.json.decode(data, type=dict[str, str])
    except msgspec.DecodeError:
        return {b"data": data}
    return {name.encode(): value.encode() for name, value in texts.items()}
