"""Each service's NATS user may publish and consume exactly what the service does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Final

import nats
import pytest
from nats.aio.client import Client

from devstack.settings import service_names
from devstack.testing import nats as servers
from devstack.testing.nats import TestNats
from devstack.testing.wait import eventually
from lib.events.broker import Broker
from lib.events.brokers import open_broker
from lib.events.jetstream_names import stream_name
from lib.ids import new_id
from tools import nats_users
from tools.events_page import consumed, published

PASSWORD: Final = "-1-of-all-of-them"  # without its quotes a number that cannot be read
OWN = {service: sorted(map(str, published().get(service, ()))) for service in service_names()}
READ = {
    service: sorted({topic for (topic, _), by in consumed().items() if service in by})
    for service in service_names()
}
TOPICS = sorted({topic for topics in OWN.values() for topic in topics})


@pytest.fixture(scope="module")
def server() -> Iterator[TestNats]:
    """A server with the real file, and an operator besides its users."""
    operator = f"{{ user: operator, password: '{PASSWORD}' }}\n"
    users = nats_users.USERS.read_text().replace("users: [\n", f"users: [\n  {operator}")
    lines = f"accounts {{ app: {{ jetstream: enabled\n{users}}} }}\n"
    with pytest.MonkeyPatch.context() as patch:
        for service in service_names():
            patch.setenv(f"{service.upper()}_NATS_PASSWORD", f'"{PASSWORD}"')
        with servers.running(lines=lines, accounts=False) as server:
            yield server


def url_of(server: TestNats, user: str) -> str:
    return f"nats://{user}:{PASSWORD}@127.0.0.1:{server.port}?ack_seconds=1"


def entry() -> dict[str, str]:
    return {"id": str(new_id()), "key": "k", "kind": "x", "payload": "{}"}


@asynccontextmanager
async def entered(server: TestNats, user: str) -> AsyncIterator[tuple[Client, list[str]]]:
    """Connect as a user; the list collects the server's errors."""
    said: list[str] = []

    async def hear(error: Exception) -> None:
        said.append(str(error).lower())

    client = await nats.connect(url_of(server, user), error_cb=hear)
    try:
        yield client, said
    finally:
        await client.close()


async def clean_up(broker: Broker, topic: str) -> None:
    await broker.trim(topic, keep_seconds=0)
    await broker.trim_dead_letters(topic, keep_seconds=0)


@pytest.mark.parametrize("service", [name for name in service_names() if OWN[name] or READ[name]])
async def test_a_service_does_there_what_it_does(server: TestNats, service: str) -> None:
    async with (
        open_broker(url_of(server, "operator"), name="t") as operator,
        open_broker(url_of(server, service), name="t") as broker,
    ):
        await broker.ping()
        for topic in OWN[service]:
            await broker.publish({topic: [entry()]}, max_length=100)
            assert await broker.length(topic) > 0
            await clean_up(broker, topic)
        for topic in READ[service]:
            reading = broker.subscription(topic, service, "m")
            await reading.create()
            sent = entry()
            await operator.publish({topic: [entry(), sent]}, max_length=100)
            for finish in ("bury", "acknowledge"):
                found = []
                while not found:
                    found = await reading.read_new(1, 1.0)
                if finish == "bury":
                    await reading.move_to_dead_letters(found[0], "why")
                else:
                    await reading.acknowledge(found[0].id)
            assert (await broker.dead_letters(topic, 10))[1] == 1
            await clean_up(broker, topic)
            assert (await broker.dead_letters(topic, 10))[1] == 0


@pytest.mark.parametrize("service", service_names())
async def test_a_service_can_tell_nothing_as_another_and_hear_nothing_told_to_another(
    server: TestNats, service: str
) -> None:
    others = [topic for topic in TOPICS if topic not in OWN[service]]
    forbidden = [f"events.{topic}.0" for topic in others]
    forbidden += [f"$JS.API.STREAM.DELETE.{stream_name(topic)}" for topic in TOPICS]
    forbidden += ["$JS.API.STREAM.LIST", "$JS.API.STREAM.CREATE.mine", "anything"]
    forbidden += [
        f"$JS.API.CONSUMER.MSG.NEXT.{stream_name(topic)}.order-0"
        for topic in others
        if topic not in READ[service]
    ]
    unheard = [f"_INBOX_{other}.>" for other in service_names() if other != service]
    unheard += ["_INBOX.>", ">", "events.>", "$JS.ACK.>"]
    async with entered(server, service) as (client, said):
        for subject in forbidden:
            await client.publish(subject, b"{}")
        for subject in unheard:
            await client.subscribe(subject)
        await client.flush()
        forbidden += unheard
        await eventually(lambda: len(said) >= len(forbidden))
        assert {line.split('"')[1] for line in said} == {one.lower() for one in forbidden}


async def test_nobody_enters_without_a_password(server: TestNats) -> None:
    with pytest.raises(nats.errors.Error):
        await nats.connect(f"nats://127.0.0.1:{server.port}", allow_reconnect=False)
