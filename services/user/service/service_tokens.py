"""Access tokens that services get in exchange for a secret, with only their own permissions."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from lib import context
from lib.auth import Issuer, Role
from lib.auth.guards import forbidden
from lib.auth.opaque import digest
from lib.auth.principal import unauthorized
from lib.auth.tokens import Issued
from lib.db import Database
from lib.limits.client_address import limit_key
from services.user.clients import SCOPES
from services.user.model.account import ServiceLogin
from services.user.service import audit, throttle
from services.user.service.counting import counted
from services.user.service.throttle import Limit
from services.user.store import accounts
from services.user.store.models import AccountRole

T = TypeVar("T", bound=str)


@dataclass(frozen=True, slots=True)
class Granted:
    """The token of a service and its permissions."""

    issued: Issued
    roles: Sequence[Role]
    permissions: Sequence[str]


async def issue(
    db: Database, issuer: Issuer, clients: Mapping[str, bytes], limit: Limit, given: ServiceLogin
) -> Granted:
    """Return a token in the name of the service, with at most the requested permissions.

    Args:
        db: the database of the permissions, the attempts and the audit trail.
        issuer: the issuer that signs the token.
        clients: the hash of each service's secret by the service's name.
        limit: the limit on failures of one service from one address.
        given: the name and the secret of the service, and the requested part of its roles and
            permissions.

    Raises:
        AppError: UNAUTHORIZED for an unknown service or a wrong secret; RATE_LIMIT_EXCEEDED after
            too many failures; FORBIDDEN for permissions that the service does not have.
    """
    tries = throttle.key("service", given.client_id, limit_key(context.client.get()))
    async with counted(db, {tries: limit}) as attempt:
        # Hashes of equal length are compared for any name: the time reveals no name or secret.
        expected = clients.get(given.client_id, b"\0" * 32)
        if not hmac.compare_digest(expected, digest(given.client_secret)):
            attempt.wrong = True
            await audit.record(
                db, "service.refused", given.client_id[:100], resource_type="service"
            )
            raise unauthorized("invalid client credentials")
        async with db.transaction() as tx:
            await throttle.clear(tx, [tries])
            await audit.record(
                tx,
                "service.signed_in",
                given.client_id,
                resource_type="service",
                actor=given.client_id,
            )
            of_all = await accounts.permissions_of(tx, role=AccountRole.SERVICE)
    permissions = sorted({*of_all, *SCOPES.get(given.client_id, ())})
    roles = _some("roles", given.roles, [Role.SERVICE])
    allowed = _some("permissions", given.permissions, permissions)
    issued = issuer.issue(given.client_id, roles, allowed, verified=True)
    return Granted(issued, roles, allowed)


def _some(what: str, wanted: Sequence[str] | None, all_: Sequence[T]) -> Sequence[T]:
    """Return `wanted`, or `all_` if `wanted` is None. Raises FORBIDDEN if `all_` lacks an item."""
    if wanted is None:
        return all_
    if not set(wanted) <= set(all_):
        raise forbidden(f"the requested {what} are not allowed")
    return [one for one in all_ if one in wanted]
