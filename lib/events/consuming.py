"""Hear events for as long as a block runs, as every service does it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from socket import gethostname

from prometheus_client import CollectorRegistry

from lib.db import Database
from lib.events.broker import Broker
from lib.events.consumer import Consumer, Handler
from lib.events.housekeeping import housekeeping
from lib.events.signing import Beliefs


@asynccontextmanager
async def consuming(
    db: Database,
    broker: Broker,
    handlers: Mapping[str, Mapping[str, Handler]],
    *,
    group: str,
    port: int,
    registry: CollectorRegistry,
    beliefs: Beliefs | None = None,
) -> AsyncIterator[None]:
    """Handle events in the background while the block runs, and clear up after them.

    Args:
        db: where effects go, and the inbox beside them.
        broker: where the streams are.
        handlers: by topic, then by kind of event.
        group: whom the events are for; replicas share them.
        port: the service's own; after a restart on the same host and port it resumes what it had.
        registry: where metrics go.
        beliefs: who may publish what; without them, whatever is in a stream is handled.
    """
    name = f"{gethostname()}-{port}"
    consumer = Consumer(
        db, broker, group=group, name=name, handlers=handlers, registry=registry, beliefs=beliefs
    )
    async with consumer.running(), housekeeping(db, broker, handlers.keys()):
        yield
