"""Whole services with their Redis users: a service without one of its patterns gets errors.

The patterns are those of the deployed list. If the list lacks a part, Redis refuses it to the
running service. If it has an unused part, the test that removes the part finds no error.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping

import asyncpg
import pytest
from aiohttp import ClientSession
from redis.asyncio import Redis

from devstack.embedded.redis import USERS
from devstack.settings import plural_of, service_names
from devstack.testing.wait import eventually
from lib.events.event import stream_of
from lib.events.outbox import unpublished
from tools.events_page import published

# Who hears events, and as which group of a stream.
GROUPS = {
    "catalog": "catalog",
    "chat": "chat",  # with chat
    "order": "order",
    "point": "point-awards",
    "user": "user-audit",
}
# Makes every service look up its limits: the list that its API is named after, or this one.
ASKED = {
    "user": "users/v1/auth/sessions",
    "chat": "chats/v1/channels",  # with chat
    "catalog": "catalogs/v1/services",
}
ASKING = ("~limit:*", "~catalog:*")
OUTBOX = """
INSERT INTO outbox (id, lane, topic, event_key, kind, payload, request_id, traceparent)
VALUES ($1, $2, $3, $4, $5, $6, '', '')
"""


def rules() -> Mapping[str, list[str]]:
    """Return the deployed rules of each user."""
    lines = [line.split() for line in USERS.read_text().splitlines()]
    return {name: rules for _, name, *rules in lines}


CASES = [
    (name, pattern) for name, given in rules().items() for pattern in given if pattern[0] in "~&"
]


class Whole:
    """The stack, and clients with full access to its Redis and its databases."""

    def __init__(self, stack, http: ClientSession, operator: Redis) -> None:
        self.stack, self.http, self.redis = stack, http, operator
        self._malformed: list[tuple[str, bytes]] = []

    async def given(self, name: str, without: str = "") -> None:
        kept = [rule for rule in rules()[name] if rule != without]
        await self.redis.execute_command("ACL", "SETUSER", name, *kept)

    async def refused(self) -> set[tuple[str, str]]:
        """Return the users to whom Redis refused a command, and the commands."""
        log = await self.redis.execute_command("ACL", "LOG", "128")
        return {(one[b"username"].decode(), one[b"object"].decode()) for one in map(dict, log)}

    async def use(self, name: str, pattern: str) -> None:
        """Let the service use its keys."""
        topic = pattern.removeprefix("~events:")
        if pattern.endswith("}:dead"):
            # Malformed, and for this group alone: the others pass it over.
            topic = pattern.removeprefix("~{events:").removesuffix("}:dead")
            entry = await self.redis.xadd(stream_of(topic), {"for_group": GROUPS[name]})
            self._malformed.append((stream_of(topic), entry))
        elif topic in {str(one) for one in published().get(name, ())}:
            await self._publish(name, topic)
        # with chat, from here
        elif pattern in ("~chat:*", "&chat:*"):
            headers = {**self.stack.authorized(), "Origin": self.stack.url}
            async with self.http.ws_connect("/api/chats/v1/ws", headers=headers):
                pass
        # with chat, to here
        elif pattern in ASKING:
            names = plural_of(name)
            async with self.http.get(
                f"/api/{ASKED.get(name, f'{names}/v1/{names}')}", headers=self.stack.authorized()
            ):
                pass

    async def _publish(self, name: str, topic: str) -> None:
        """Let the relay publish an event to the stream that no consumer understands."""
        event = unpublished(topic=topic, key="k", kind="nothing", payload={})
        sql = await asyncpg.connect(
            host="127.0.0.1", port=self.stack.port("POSTGRES_PORT"), user="postgres",
            password=(self.stack.secrets / "postgres").read_text(), database=name,
        )  # fmt: skip
        try:
            await sql.execute(
                OUTBOX, event.id, event.lane, topic, event.event_key, event.kind, event.payload
            )
        finally:
            await sql.close()

    async def without(self, name: str, patterns: Iterable[str]) -> list[tuple[str, str]]:
        """Remove one pattern after the other from a service.

        Return the patterns that caused no error.
        """
        unused = []
        for pattern in patterns:
            prefix = pattern[1:].removesuffix("*")

            async def is_missed(pattern: str = pattern, prefix: str = prefix) -> bool:
                if pattern in ASKING:  # a request may find its limit in hand, or a circuit open
                    await self.use(name, pattern)
                refused = await self.refused()
                return any(who == name and what.startswith(prefix) for who, what in refused)

            await self.given(name, without=pattern)
            try:
                if pattern not in ASKING:
                    await self.use(name, pattern)
                await eventually(is_missed, within=90)
            except TimeoutError:
                unused.append((name, pattern))
            finally:
                # While nobody may bury it.
                while self._malformed:
                    await self.redis.xdel(*self._malformed.pop())
                await self.given(name)
        return unused

    async def has_caught_up(self) -> bool:
        """Return whether all consumers have received every event."""
        async for key in self.redis.scan_iter("events:*"):
            for group in await self.redis.xinfo_groups(key):
                after = b"(" + group["last-delivered-id"]
                if group["pending"] or await self.redis.xrange(key, min=after, count=1):
                    return False
        return True


@pytest.fixture
async def whole(stack) -> AsyncIterator[Whole]:
    password = (stack.secrets / "redis").read_text()
    async with (
        ClientSession(stack.url) as http,
        Redis(port=stack.port("REDIS_PORT"), password=password) as operator,
    ):
        yield Whole(stack, http, operator)
        for name in rules():
            await operator.execute_command("ACL", "SETUSER", name, *rules()[name])
        await operator.execute_command("ACL", "LOG", "RESET")


async def test_redis_has_refused_no_service_anything(whole, stack) -> None:
    """Each service has its own user here, with the keys that the code declares."""

    async def all_are_there() -> bool:
        for (
            path
        ) in ASKED.values():  # after a failure of Redis a service comes back when it is asked
            async with whole.http.get(f"/api/{path}", headers=whole.stack.authorized()):
                pass
        clients = {client["user"] for client in await whole.redis.client_list()}
        assert clients - set(service_names()) <= {"default"}
        return clients >= set(service_names())

    await eventually(all_are_there, within=90)
    refused = [dict(entry) for entry in await whole.redis.execute_command("ACL", "LOG")]
    # The library offers to be told of maintenance (CLIENT …), which no server here knows.
    assert [entry for entry in refused if entry[b"object"] != b"client"] == []


SAMPLE = [("department", "~limit:*"), ("department", "~events:departments")]


async def test_a_service_that_runs_misses_each_pattern_that_is_taken_from_it(whole, full) -> None:
    """The long run checks all patterns; other runs check two of them."""
    await whole.redis.execute_command("ACL", "LOG", "RESET")
    chosen: dict[str, list[str]] = {}
    for name, pattern in (SAMPLE, CASES)[full(1, sample=0)]:
        chosen.setdefault(name, []).append(pattern)
    unused = await asyncio.gather(*(whole.without(name, some) for name, some in chosen.items()))
    assert [one for some in unused for one in some] == []
    await eventually(whole.has_caught_up)
