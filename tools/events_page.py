"""The page of events: the events of each service, their fields, and their consumers.

The page comes from the code: a topic refuses event types that it does not declare, and the
consumers on the page run the same handlers.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec.structs import fields

from devstack.settings import ROOT, service_names
from lib.events import Topic

PAGE: Final = ROOT / "docs" / "events.md"

# Where the handlers of each consumer group are; a test looks that every service is here.
HANDLERS: Final[Mapping[str, str]] = {
    "catalog": "services.catalog.invalidation:handlers",
    "chat": "services.chat.service.events:HANDLERS",  # with chat
    "order": "services.order.event_handlers:HANDLERS",
    "point": "services.point.awards:HANDLERS",
    "user": "services.user.service.event_handlers:HANDLERS",
}


def files() -> dict[Path, str]:
    """Return a mapping from the path of the page to its text."""
    consumers = consumed()
    lines = [
        "# Events",
        "",
        "Events by topic, with their publisher and consumers ([how events work](lib/events.md)).",
        "Generated from the code by `make render`. Undeclared events cannot be published.",
    ]
    for service, topics in sorted(published().items()):
        for topic in sorted(topics):
            lines += ["", f"## `{topic}`, published by {service}", ""]
            lines += ["| event | payload | fields | consumed by |", "|---|---|---|---|"]
            for kind, payload in topic.kinds.items():
                who = ", ".join(sorted(consumers.get((str(topic), kind), ()))) or "–"
                names = ", ".join(_names(payload))
                lines.append(f"| `{kind}` | `{payload.__name__}` | {names} | {who} |")
    return {PAGE: "\n".join(lines) + "\n"}


def _names(payload: Any) -> list[str]:
    names = [field.encode_name for field in fields(payload)]
    # The rows of a table are on the page of the schema.
    return [f"the row: {len(names)} columns"] if ".store." in payload.__module__ else names


def published() -> dict[str, list[Topic]]:
    """Return the topics by the service that declares them."""
    found: dict[str, list[Topic]] = {}
    for service in service_names():
        package = importlib.import_module(f"services.{service}")
        topics: dict[str, Topic] = {}
        for module in pkgutil.walk_packages(package.__path__, f"services.{service}."):
            if not module.name.endswith("__main__") and ".store" not in module.name:
                values = vars(importlib.import_module(module.name)).values()
                topics |= {str(value): value for value in values if isinstance(value, Topic)}
        if topics:
            found[service] = list(topics.values())
    return found


def consumed() -> dict[tuple[str, str], set[str]]:
    """Return the services that handle each topic and event type."""
    found: dict[tuple[str, str], set[str]] = {}
    for service, place in HANDLERS.items():
        module, name = place.split(":")
        handlers: Any = getattr(importlib.import_module(module), name)
        by_topic = _called(handlers) if callable(handlers) else handlers
        for topic, kinds in by_topic.items():
            for kind in kinds:
                found.setdefault((str(topic), kind), set()).add(service)
    return found


def _called(handlers: Callable[[Any], Mapping[str, Mapping[str, Any]]]) -> Mapping[str, Any]:
    return handlers(None)  # what it would forget in is used by no handler that is not run
