"""The events page lists publishers and consumers completely."""

from __future__ import annotations

import pytest

from devstack.settings import ROOT
from lib.events import Topic, unpublished
from tools import events_page


def test_every_event_that_is_consumed_is_published_by_somebody():
    known = {
        (str(topic), kind)
        for topics in events_page.published().values()
        for topic in topics
        for kind in topic.kinds
    }
    assert events_page.consumed().keys() <= known


def test_every_service_that_consumes_and_every_one_that_publishes_is_on_the_page():
    def those_with(word: str) -> set[str]:
        files = (ROOT / "services").rglob("*.py")
        return {
            path.relative_to(ROOT / "services").parts[0]
            for path in files
            if "store" not in path.parts and word in path.read_text()
        }

    assert those_with("consuming(") == set(events_page.HANDLERS)
    writes = those_with("publish(") | those_with("publish_change(") | those_with("unpublished(")
    # Chat's replicas tell each other by Redis, without an outbox.
    assert writes - {"chat"} == set(events_page.published())


def test_an_event_that_its_topic_does_not_declare_cannot_be_written():
    topic = Topic("users", {"user.registered": dict})
    assert unpublished(topic=topic, key="1", kind="user.registered", payload={}).topic == "users"
    with pytest.raises(ValueError, match=r"user\.left is not an event of users"):
        unpublished(topic=topic, key="1", kind="user.left", payload={})
