"""Domain events within a process. Listeners run in the transaction of the publisher."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from lib.db import Executor

E = TypeVar("E")
Listener = Callable[[Executor, E], Awaitable[None]]


class DomainEvents:
    """Listeners by exact event type, called in registration order.

    Listeners run one after the other in the caller's transaction. If one listener fails, the
    transaction fails. For work after the commit, publish an event through the outbox.
    """

    def __init__(self) -> None:
        self._listeners: dict[type, list[Listener[Any]]] = defaultdict(list)

    def on(self, kind: type[E], listener: Listener[E]) -> None:
        """Register `listener` for events of this type."""
        self._listeners[kind].append(listener)

    async def publish(self, tx: Executor, event: object) -> None:
        """Call all listeners, if any, for the type of `event`."""
        for listener in self._listeners.get(type(event), ()):
            await listener(tx, event)
