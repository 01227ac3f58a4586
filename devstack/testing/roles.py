"""The role with which a test connects a service to its database, with the privileges of production.

The name of a test database contains its service: `order_7` is the seventh database on its server.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest import mock
from urllib.parse import urlsplit

from pydantic import SecretStr

from devstack.settings import service_names
from devstack.testing import pgbouncer
from lib.config import DatabaseSettings
from lib.db import mysql, postgres
from lib.db.grants import role_of


def owner_of(database: str) -> str | None:
    """Return the service to which a test's database belongs, or None."""
    stem = database.rpartition("_")[0]
    return next((name for name in service_names() if stem.split("_")[-1] == name), None)


def mysql_role_of(database: str) -> str:
    """Return the account of a database's service: MySQL has no roles for one database."""
    return f"{database}_service"[-32:]  # names of accounts end there


def as_service(url: str) -> str:
    """Return the URL with the role of the database's service.

    If no service owns the database, return `url` itself.

    With `DATABASE_POOLER=transaction`, the URL leads to a pooler; see `devstack.testing.pgbouncer`.
    """
    parts = urlsplit(url)
    database = parts.path.lstrip("/")
    owner = owner_of(database)
    if owner is None:
        return url
    place = parts.netloc.rpartition("@")[2]
    if parts.scheme == "mysql":
        role = mysql_role_of(database)
        return parts._replace(netloc=f"{role}:{role}@{place}").geturl()
    own = parts._replace(netloc=f"{role_of(owner)}:{parts.password}@{place}").geturl()
    return pgbouncer.before(url).through(own) if pgbouncer.wanted() else own


# What a test opens to see or to arrange something is the owner's.
BY_HAND: Final = "test"


@contextmanager
def entered_as_services() -> Iterator[None]:
    """Let each service that starts in this process connect with its role, as in production."""
    # Private functions, because every pool of a service is opened by one of these two.
    connect, create_pool = mysql._connect, postgres._create_pool  # noqa: SLF001 - as above

    async def mysql_pool(settings: DatabaseSettings, application: str) -> Any:
        return await connect(_with_rights(settings, application), application)

    async def postgres_pool(settings: DatabaseSettings, application: str, *more: Any) -> Any:
        return await create_pool(_with_rights(settings, application), application, *more)

    with (
        mock.patch.object(mysql, "_connect", mysql_pool),
        mock.patch.object(postgres, "_create_pool", postgres_pool),
        pgbouncer.ended(),
    ):
        yield


def _with_rights(settings: DatabaseSettings, application: str) -> DatabaseSettings:
    if application == BY_HAND:
        return settings
    url = SecretStr(as_service(settings.database_url.get_secret_value()))
    return settings.model_copy(update={"database_url": url})
