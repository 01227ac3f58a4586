"""Callers of a service in this process, and a configuration without limits."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from aiohttp.test_utils import TestClient
from pydantic import SecretStr

from devstack.testing.auth import TestIssuer
from devstack.testing.roles import BY_HAND
from lib.auth import Role
from lib.config import DatabaseSettings
from lib.db import Database
from lib.db.engine import open_database

C = TypeVar("C", bound=DatabaseSettings)


class Caller:
    """Send requests with one token, or without a token."""

    def __init__(self, client: TestClient, headers: dict[str, str], subject: str = "") -> None:
        self._client = client
        self._headers = headers
        self.subject = subject

    async def __call__(self, method: str, path: str, *, headers=None, **options):
        """Return the status, the decoded body (None without a body) and the headers."""
        async with self._client.request(
            method, f"/api/v1/{path}", headers={**self._headers, **(headers or {})}, **options
        ) as answer:
            body = await answer.json() if await answer.read() else None
            return answer.status, body, answer.headers


def caller_with(
    client: TestClient, issuer: TestIssuer, subject: str, role: Role, **claims: Any
) -> Caller:
    """Return a caller with a token of this role."""
    return Caller(client, issuer.authorized(subject=subject, role=role, **claims), subject)


def unlimited(config: type[C], database_url: str, issuer: TestIssuer, **settings: Any) -> C:
    """Return a configuration for a database and an issuer, with the given settings."""
    given = {
        "database_url": SecretStr(database_url),
        "db_pool_min": 1,
        "auth_jwks_url": issuer.url,
        "rate_limit_burst": 100_000,
        "user_rate_limit": 100_000,
    }
    return config(_env_file=None, **(given | settings))


def by_hand(url: str, **settings: Any) -> AbstractAsyncContextManager[Database]:
    """Open a database directly as its owner, to prepare or read data."""
    given = {"database_url": SecretStr(url), "db_pool_min": 1} | settings
    return open_database(DatabaseSettings(_env_file=None, **given), application=BY_HAND)
