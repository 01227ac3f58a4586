"""Identifiers: UUIDv7, made by the application, ordered by time."""

from __future__ import annotations

from uuid import UUID

from uuid_utils import compat


def new_id() -> UUID:
    """Return a new UUIDv7 as a standard library UUID; later ids sort after earlier ones."""
    return compat.uuid7()


def to_bytes(value: UUID) -> bytes:
    """Return the 16 bytes that a database without a type for it keeps; they sort as the id does."""
    return value.bytes


def from_bytes(raw: bytes) -> UUID:
    """Return the id that `to_bytes` made these of."""
    return UUID(bytes=raw)
