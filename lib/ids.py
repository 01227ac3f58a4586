"""Identifiers: UUIDv7, made by the application, ordered by time."""

from __future__ import annotations

from uuid import UUID

from uuid_utils import compat


def new_id() -> UUID:
    """Return a new UUIDv7 as a standard library UUID; later ids sort after earlier ones."""
    return compat.uuid7()
