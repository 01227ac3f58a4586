"""Consume events while a block runs, the same way in every service."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from socket import gethostname
from typing import Protocol

from prometheus_client import CollectorRegistry

from lib.db import Database
from lib.events.broker import Broker
from lib.events.consumer import Consumer, Handler
from lib.events.maintenance import maintenance
from lib.events.signing import TrustedProducers


class Listens(Protocol):
    """The settings of a consumer. `ConsumerSettings` adds the trusted keys."""

    @property
    def port(self) -> int:
        """The service's port.

        After a restart on the same host and port, a consumer resumes its entries.
        """

    def event_beliefs(self, producers: Mapping[str, str]) -> TrustedProducers | None:
        """Return the trusted producers, or None to accept every event."""


@asynccontextmanager
async def consuming(
    config: Listens,
    db: Database,
    broker: Broker,
    handlers: Mapping[str, Mapping[str, Handler]],
    producers: Mapping[str, str],
    *,
    group: str,
    registry: CollectorRegistry,
) -> AsyncIterator[None]:
    """Handle events in the background while the block runs, and delete old entries.

    Args:
        config: the configuration of the service.
        db: the database of the inbox and of the handlers' changes.
        broker: the broker of the streams.
        handlers: the handlers by topic, then by event type.
        producers: the publishing service of each topic.
        group: the consumer group; all replicas of a service share it.
        registry: the registry for the metrics.
    """
    consumer = Consumer(
        db,
        broker,
        group=group,
        name=f"{gethostname()}-{config.port}",
        handlers=handlers,
        registry=registry,
        beliefs=config.event_beliefs(producers),
    )
    async with consumer.running(), maintenance(db, broker, handlers.keys()):
        yield
