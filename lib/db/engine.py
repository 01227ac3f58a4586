"""The engine of a database, which the scheme of the database URL selects."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from enum import StrEnum
from typing import Final, Protocol
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry

from lib.config import DatabaseSettings
from lib.db.executor import Database, Executor


class Engine(StrEnum):
    """The engines that code can be generated for."""

    POSTGRES = "postgres"
    MYSQL = "mysql"


_POSTGRES: Final = Engine.POSTGRES


class OpenDatabase(Database, Protocol):
    """A database that supports a health check."""

    async def ping(self) -> None:
        """Check that the server responds. Raises AppError if the server does not respond."""
        ...


def engine_of(db: Executor) -> Engine:
    """Return the engine of a database or transaction: PostgreSQL if `db` has no `engine`."""
    engine = getattr(db, "engine", _POSTGRES)
    # Calling an enumeration runs Python code, for each query.
    return engine if isinstance(engine, Engine) else Engine(engine)


def open_database(
    settings: DatabaseSettings,
    *,
    application: str,
    registry: CollectorRegistry | None = None,
    query_names: Mapping[str, str] | None = None,
    reads: Collection[str] = (),
) -> AbstractAsyncContextManager[OpenDatabase]:
    """Open a pool for the engine that the URL names. See `open_database` of the engine's module.

    `reads` are the SQL texts that replicas may execute, if the settings name replicas.
    """
    if settings.db_replica_urls:
        from lib.db.replicated import open_replicated

        return open_replicated(
            settings,
            application=application,
            registry=registry,
            query_names=query_names,
            reads=reads,
        )
    # Imported here: a service on one engine works without the driver of the other engine.
    if urlsplit(settings.database_url.get_secret_value()).scheme == "mysql":
        from lib.db import mysql as module
    else:
        from lib.db import postgres as module  # type: ignore[no-redef] # the same function in both
    return module.open_database(
        settings, application=application, registry=registry, query_names=query_names
    )
