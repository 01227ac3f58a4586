"""Context of the current request, which calls and log lines carry."""

from __future__ import annotations

import re
from contextvars import ContextVar
from typing import Final

import uuid_utils

REQUEST_ID_HEADER: Final = "X-Request-ID"
request_id: ContextVar[str] = ContextVar("request_id", default="")
# Who asks, as log lines name them: a user's id or a service's name.
principal: ContextVar[str] = ContextVar("principal", default="")
# The address of the client, as far as trusted proxies vouch for it.
client: ContextVar[str] = ContextVar("client", default="")
# On the event loop's clock (`loop.time()`); None if there is no limit.
deadline: ContextVar[float | None] = ContextVar("deadline", default=None)

_ACCEPTABLE = re.compile(r"[A-Za-z0-9._\-]{8,64}")


def accept_request_id(inbound: str | None) -> str:
    """Return the caller's request ID if the ID is safe to log and return, else a new ID.

    A safe ID has 8 to 64 letters, digits, dots, dashes and underscores.
    """
    if inbound is not None and _ACCEPTABLE.fullmatch(inbound):
        return inbound
    return str(uuid_utils.uuid7())
