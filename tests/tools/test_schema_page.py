"""The schema page matches the migrations, and names the events of each outbox."""

from __future__ import annotations

import re

from tests.services.test_producers import published
from tools import schema_page


def test_the_page_is_what_the_migrations_make(postgres_server):
    assert schema_page.PAGE.read_text() == schema_page.page(postgres_server.create)


def test_an_outbox_is_described_by_the_topics_that_its_service_publishes():
    described: dict[str, set[str]] = {}
    for section in re.split(r"^## ", schema_page.PAGE.read_text(), flags=re.MULTILINE)[1:]:
        outbox = section.partition("### `outbox`\n\n")[2].partition("\n")[0]
        assert outbox.startswith(("It publishes ", "It stays empty")), section.partition("\n")[0]
        described[section.partition("\n")[0]] = set(re.findall(r"`([\w-]+)`", outbox))
    # The calls in the code, not the declarations that the page is made from.
    calls = {service: set() for service in described}
    for topic, services in published().items():
        for service in services:
            calls[service].add(str(topic))
    assert described == calls
