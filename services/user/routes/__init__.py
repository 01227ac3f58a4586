"""HTTP routes, one module per group."""

from __future__ import annotations

from typing import Final

from services.user.routes import (
    aliases,
    passwords,
    people,
    pictures,
    points,
    provider_requests,
    registration,
    roles,
    second_factors,
    sessions,
)
from services.user.routes.deps import DEPS, RULES, Deps, Rules

ROUTES: Final = (
    *registration.route,
    *sessions.route,
    *second_factors.route,
    # Before the people: `/users/me/…` is not somebody's id.
    *passwords.route,
    *provider_requests.route,
    *people.route,
    *pictures.route,
    *points.route,
    *roles.route,
    *aliases.ROUTES,
)
# Their answers hold tokens, or their bodies do what must not be given again.
NOT_IDEMPOTENT: Final = frozenset(
    f"/api/v1/auth/{name}"
    for name in (
        "login",
        "token",
        "refresh",
        "logout",
        "logout-all",
        "password/reset",
        "verify",
        "email/undo",
        "second-factor",
        "totp",
        "totp/confirm",
        "recovery-codes",
        "passkeys",
        "passkeys/options",
        "passkeys/challenge",
    )
)

__all__ = ["DEPS", "NOT_IDEMPOTENT", "ROUTES", "RULES", "Deps", "Rules"]
