"""Domain events inside a process: who is interested runs in the same unit of work as the cause."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from lib.db import Executor

E = TypeVar("E")
Listener = Callable[[Executor, E], Awaitable[None]]


class DomainEvents:
    """Listeners by the exact type of event, called in the order of their registration.

    They run one after the other inside the transaction of the caller: one that fails fails it all.
    What must happen after the commit is published through the outbox instead.
    """

    def __init__(self) -> None:
        self._listeners: dict[type, list[Listener[Any]]] = defaultdict(list)

    def on(self, kind: type[E], listener: Listener[E]) -> None:
        """Call `listener` for every event of this type."""
        self._listeners[kind].append(listener)

    async def publish(self, tx: Executor, event: object) -> None:
        """Tell everyone who listens for the type of `event`; nobody may be listening."""
        for listener in self._listeners.get(type(event), ()):
            await listener(tx, event)
