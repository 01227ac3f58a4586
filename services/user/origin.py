"""Who acts and from where: what throttles count by and the audit trail records."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

from lib.auth import current_principal

ANONYMOUS: Final = "anonymous"
# The client's address as far as trusted proxies vouch for it.
client_address: Final[ContextVar[str]] = ContextVar("client_address", default="")


def actor() -> str:
    """Return the subject of the caller's token."""
    principal = current_principal()
    return ANONYMOUS if principal is None else principal.subject
