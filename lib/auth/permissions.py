"""The permissions that the code checks, and the roles and services that have them initially.

The file `services/permissions.toml` declares all permissions. If code names an undeclared
permission, the import of this code fails. So a misspelt name is found before production, where it
would refuse every caller.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import msgspec

from lib.auth.principal import Permission, Role

Grants = Mapping[Role, frozenset[str]]

FILE: Final = Path(__file__).resolve().parents[2] / "services" / "permissions.toml"
# Permissions with such a name belong to services. Administrators cannot give them to accounts.
OF_SERVICES: Final = "service:"


class Declared(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A permission: its description, and the roles and services that have it initially."""

    description: str
    roles: tuple[Role, ...] = ()
    services: tuple[str, ...] = ()


def read(text: str) -> dict[str, Declared]:
    """Return every declared permission by name.

    Raises:
        ValueError: if the text is not TOML, a role is unknown, or a permission for services has
            roles.
    """
    found = msgspec.convert(tomllib.loads(text), dict[str, Declared])
    for name, one in found.items():
        wrong = one.roles if name.startswith(OF_SERVICES) else one.services
        if wrong:
            raise ValueError(
                f"{name}: grant permissions named `{OF_SERVICES}…` to services, all others to roles"
            )
    return found


@cache
def declared() -> dict[str, Declared]:
    """Return every permission declared in `services/permissions.toml`, by name."""
    return read(FILE.read_text(encoding="utf-8"))


def permission(name: str) -> Permission:
    """Return `name` as a `Permission` if the permission is declared.

    Raises:
        LookupError: if the permission is not declared; the message names the most similar
            permission.
    """
    if name not in declared():
        near = difflib.get_close_matches(name, declared(), n=1)
        hint = f"did you mean {near[0]}?" if near else f"add the permission to services/{FILE.name}"
        raise LookupError(f"unknown permission {name}: {hint}")
    return Permission(name)


def built_in_grants() -> Grants:
    """Return the initial permissions of each role. Roles without permissions are omitted."""
    named = {
        role: frozenset(name for name, one in declared().items() if role in one.roles)
        for role in Role
    }
    return {role: names for role, names in named.items() if names}


def service_scopes() -> Mapping[str, frozenset[str]]:
    """Return each service's permissions (its tokens' scopes). Services without any are omitted."""
    found: dict[str, set[str]] = {}
    for name, one in declared().items():
        for service in one.services:
            found.setdefault(service, set()).add(name)
    return {service: frozenset(names) for service, names in found.items()}


def permissions_of(roles: Iterable[Role], grants: Grants) -> frozenset[str]:
    """Return the union of the permissions of `roles`. A role without grants adds nothing."""
    return frozenset().union(*(grants.get(role, frozenset()) for role in roles))
