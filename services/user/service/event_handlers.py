"""Consume events of other services for the audit trail and for emails, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lib.db import Executor
from lib.events import Event, Handler
from services.user.service import audit_events, departments, notices


def _after_one_another(handlers: tuple[Handler, ...]) -> Handler:
    async def handle(tx: Executor, event: Event) -> None:
        for handler in handlers:
            await handler(tx, event)

    return handle


def _together(
    *parts: Mapping[str, Mapping[str, Handler]],
) -> Mapping[str, Mapping[str, Handler]]:
    wanted: dict[str, dict[str, tuple[Handler, ...]]] = {}
    for part in parts:
        for topic, by_kind in part.items():
            kinds = wanted.setdefault(topic, {})
            for kind, handler in by_kind.items():
                kinds[kind] = (*kinds.get(kind, ()), handler)
    return {
        topic: {kind: _after_one_another(handlers) for kind, handlers in kinds.items()}
        for topic, kinds in wanted.items()
    }


HANDLERS: Final = _together(audit_events.HANDLERS, notices.HANDLERS, departments.HANDLERS)
