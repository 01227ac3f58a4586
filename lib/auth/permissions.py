"""Roles into permissions: the issuer of a token grants them, everyone else reads them from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lib.auth.principal import Role

Grants = Mapping[Role, frozenset[str]]


def permissions_of(roles: Iterable[Role], grants: Grants) -> frozenset[str]:
    """Return everything that `roles` together may do; a role without grants adds nothing."""
    return frozenset().union(*(grants.get(role, frozenset()) for role in roles))
