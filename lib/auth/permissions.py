"""Roles into permissions: the issuer of a token grants them, everyone else reads them from it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from lib.auth.principal import Role

# `users:read`, `orders:write-any`: it travels in the token's `scope`, where spaces separate.
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*(?::[a-z][a-z0-9_-]*)+")

Grants = Mapping[Role, frozenset[str]]


def permissions_of(roles: Iterable[Role], grants: Grants) -> frozenset[str]:
    """Return everything that `roles` together may do; a role without grants adds nothing."""
    return frozenset().union(*(grants.get(role, frozenset()) for role in roles))


def is_permission(text: str) -> bool:
    """Whether `text` can be a permission: `resource:action`, lower case, no spaces."""
    return _NAME.fullmatch(text) is not None
