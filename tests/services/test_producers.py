"""Each consumer accepts events only from the publisher of their topic."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from typing import Any

import pytest

from devstack.settings import ROOT, service_names
from tools import events_page

PUBLISHES = re.compile(r"""(?:publish|publish_change|unpublished)\(\s*(?:tx,\s*)?topic=(\w+)""")
CONSUMERS = tuple(events_page.HANDLERS)


def published() -> Mapping[str, set[str]]:
    """Return the topics that each service's code publishes."""
    found: dict[str, set[str]] = {}
    for name in service_names():
        for path in (ROOT / "services" / name).rglob("*.py"):
            for constant in PUBLISHES.findall(path.read_text()):
                module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                topic = getattr(importlib.import_module(module), constant)
                found.setdefault(topic, set()).add(name)
    return found


@pytest.mark.parametrize("name", CONSUMERS)
def test_whose_word_is_taken_for_a_topic_is_who_publishes_it(name: str) -> None:
    app: Any = importlib.import_module(f"services.{name}.app")
    assert app.PRODUCERS
    assert {topic: {producer} for topic, producer in app.PRODUCERS.items()} == {
        topic: published()[topic] for topic in app.PRODUCERS
    }


def test_every_topic_that_is_heard_has_a_producer() -> None:
    """A service does not start if it consumes a topic without a producer."""
    from services.catalog import app as catalog
    from services.chat import app as chat  # with chat
    from services.order import app as order
    from services.point import app as point
    from services.user import app as user

    cache: Any = None  # only asked once an event is handled
    heard = {
        user: user.HANDLERS,
        catalog: catalog.handlers(cache),
        order: order.HANDLERS,
        chat: chat.announcing(lambda _: None),  # with chat
        point: point.handlers({}),
    }
    for app, handlers in heard.items():
        producers: Any = vars(app)["PRODUCERS"]
        assert set(producers) == set(handlers), app.__name__


@pytest.mark.parametrize("name", [one for one in CONSUMERS if one not in ("user", "point")])
def test_who_consumes_accounts_handles_every_way_to_leave(name: str) -> None:
    """The end of an account must have the same effects after deactivation and after deletion."""
    handled = {kind for (topic, kind), by in events_page.consumed().items()
               if topic == "users" and name in by}  # fmt: skip
    assert {"user.deactivated", "user.deleted", "user.erased"} <= handled
