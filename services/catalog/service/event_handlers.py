"""Remove the offered services of a provider whose account was deactivated or deleted.

Services that a provider added after the event stay: the event may be late or repeated, and the
account may be active again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec

from lib.db import Executor
from lib.events import Event, Handler
from services.catalog.service import offers

_PROVIDER: Final = "PROVIDER"


class UserChanged(msgspec.Struct, frozen=True):
    """Fields used from the events of the topic `users`."""

    id: UUID
    role: str = ""


async def _gone(tx: Executor, event: Event) -> None:
    payload = event.decode(UserChanged)
    if payload.role != _PROVIDER:
        await offers.remove_all(tx, payload.id, until=event.created_at)


HANDLERS: Final[Mapping[str, Mapping[str, Handler]]] = {
    "users": {
        "user.deleted": _gone,
        "user.erased": _gone,
        "user.deactivated": _gone,
        "user.role_changed": _gone,
    }
}
