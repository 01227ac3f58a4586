"""The actor of an action, as recorded in the audit trail."""

from __future__ import annotations

from typing import Final

from lib.auth import current_principal

ANONYMOUS: Final = "anonymous"
SYSTEM: Final = "system"  # the service itself, without a caller


def actor() -> str:
    """Return the subject of the caller's token, or `ANONYMOUS` without a caller."""
    principal = current_principal()
    return ANONYMOUS if principal is None else principal.subject
