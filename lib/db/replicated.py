"""Open a database with its replicas."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from lib.config import DEVELOPMENT_ONLY, DatabaseSettings
from lib.db.log_position import log_position_of
from lib.db.replicas import Limits, Replica, ReplicatedDatabase, Rotation, watched
from lib.positions import Signer


@asynccontextmanager
async def open_replicated(
    settings: DatabaseSettings,
    *,
    application: str,
    registry: CollectorRegistry | None = None,
    query_names: Mapping[str, str] | None = None,
    reads: Collection[str] = (),
) -> AsyncIterator[ReplicatedDatabase]:
    """Open the primary, which must be available, and the replicas, which may be down.

    `reads` are the SQL texts that are proved to be read-only. The other arguments are those of the
    primary's `open_database`.
    """
    limits = Limits(
        lag_seconds=settings.db_replica_lag_seconds,
        wait_seconds=settings.db_replica_wait_seconds,
        answer_seconds=settings.db_replica_seconds,
    )
    secret = settings.db_replica_secret or SecretStr(DEVELOPMENT_ONLY)
    # Imported here: a service on one engine works without the driver of the other engine.
    if urlsplit(settings.database_url.get_secret_value()).scheme == "mysql":
        from lib.db import mysql as engine
    else:
        from lib.db import postgres as engine  # type: ignore[no-redef] # the same functions in both
    async with AsyncExitStack() as stack:
        primary = await stack.enter_async_context(
            engine.open_database(
                settings, application=application, registry=registry, query_names=query_names
            )
        )
        log_position = await log_position_of(primary, application)
        replicas = []
        for url in settings.db_replica_urls:
            db = await stack.enter_async_context(engine.open_replica(settings, url, application))
            replicas.append(Replica(_name(url), db, log_position))
        rotation = Rotation(primary, replicas, limits, log_position)
        await stack.enter_async_context(watched(rotation))
        yield ReplicatedDatabase(
            primary,
            rotation,
            reads,
            Signer(application, secret.get_secret_value().encode()),
            answer_seconds=limits.answer_seconds,
            registry=registry,
        )


def _name(url: SecretStr) -> str:
    """Name a server by its address, without credentials."""
    return urlsplit(url.get_secret_value()).netloc.rpartition("@")[2]
