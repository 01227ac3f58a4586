"""Events between services (outbox, relay, consumers), and domain events within one service."""

from lib.events.bus import DomainEvents
from lib.events.consumer import Consumer, ConsumerPolicy, Handler
from lib.events.consuming import consuming
from lib.events.event import Event, stream_of
from lib.events.maintenance import maintenance
from lib.events.outbox import publish, publish_change, unpublished
from lib.events.relay import Relay
from lib.events.store import Unpublished
from lib.events.topic import Topic

__all__ = [
    "Consumer",
    "ConsumerPolicy",
    "DomainEvents",
    "Event",
    "Handler",
    "Relay",
    "Topic",
    "Unpublished",
    "consuming",
    "maintenance",
    "publish",
    "publish_change",
    "stream_of",
    "unpublished",
]
