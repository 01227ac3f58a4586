"""UUIDv7 identifiers, which sort by time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

from uuid_utils import compat

# Returns a new UUIDv7 as a standard library UUID. Later IDs sort after earlier IDs.
new_id: Final[Callable[[], UUID]] = compat.uuid7


def to_bytes(value: UUID) -> bytes:
    """Return the 16 bytes to store in a database without a UUID type. They sort like the IDs."""
    return value.bytes


def from_bytes(raw: bytes) -> UUID:
    """Return the ID from the bytes that `to_bytes` returned."""
    return UUID(bytes=raw)
