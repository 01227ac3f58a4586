"""Chat in numbers."""

from __future__ import annotations

from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge


class _Sized(Protocol):
    @property
    def size(self) -> tuple[int, int]: ...


class HubMetrics:
    """Metrics of delivered messages and of connected users."""

    def __init__(self, registry: CollectorRegistry, hub: _Sized) -> None:
        self.delivered = Counter(
            "chat_messages_delivered_total",
            "Messages delivered live to sockets. Messages that a client reads after a reconnect "
            "are not counted.",
            registry=registry,
        )
        self.fills = Counter(
            "chat_gap_fills_total",
            "Database reads of messages whose announcement was lost or late.",
            registry=registry,
        )
        users = Gauge("chat_users", "Users connected to this replica.", registry=registry)
        users.set_function(lambda: hub.size[0])
        feeds = Gauge("chat_channels", "Channels of the connected users.", registry=registry)
        feeds.set_function(lambda: hub.size[1])


class SocketMetrics:
    """Metrics of open and closed sockets."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.open = Gauge("chat_connections", "Open sockets.", registry=registry)
        self.closed = Counter(
            "chat_closed_total",
            "Sockets closed by the service, by close code.",
            ("code",),
            registry=registry,
        )
        self.stored = Counter(
            "chat_messages_stored_total",
            "Messages stored. A message that a client sends again is not counted.",
            registry=registry,
        )
