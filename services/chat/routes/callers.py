"""Who calls: a person with an account."""

from __future__ import annotations

from uuid import UUID

from lib.auth import require_principal
from lib.auth.guards import forbidden


def user_id() -> UUID:
    """Return the caller's account; FORBIDDEN for a service, which has none."""
    try:
        return UUID(require_principal().subject)
    except ValueError:
        raise forbidden("only people take part in a chat") from None
