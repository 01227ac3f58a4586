"""HTTP routes, one module per kind of resource."""

from __future__ import annotations

from typing import Final

from services.user.routes import (
    aliases,
    identities,
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
    # Before the routes of people, because `me` in `/users/me/…` is not an ID.
    *passwords.route,
    *identities.route,
    *provider_requests.route,
    *people.route,
    *pictures.route,
    *points.route,
    *roles.route,
    *aliases.ROUTES,
)
# Their answers hold tokens, or their bodies do what must not be given again.
NOT_IDEMPOTENT: Final = frozenset(
    f"/api/v1/{name}"
    for name in (
        "auth/login",
        "auth/token",
        "auth/refresh",
        "auth/logout",
        "auth/logout-all",
        "auth/password/reset",
        "auth/verify",
        "auth/email/undo",
        "auth/second-factor",
        "auth/totp",
        "auth/totp/confirm",
        "auth/recovery-codes",
        "auth/passkeys",
        "auth/passkeys/options",
        "auth/passkeys/challenge",
        "auth/identity-providers/{name}/start",
        "auth/identity-providers/{name}/sign-in",
        "users/me/identities/{name}/start",
        "users/me/identities/{name}",
    )
)

__all__ = ["DEPS", "NOT_IDEMPOTENT", "ROUTES", "RULES", "Deps", "Rules"]
