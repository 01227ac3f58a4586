"""Exchange messages between replicas through Redis, with the database as fallback."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import islice
from typing import Any, Final
from uuid import UUID

from prometheus_client import CollectorRegistry, Gauge
from redis.asyncio import Redis
from redis.exceptions import RedisError

from lib.events.background import repeating
from lib.log import get_logger
from lib.redis import subscribed
from services.chat.rooms.departures import Departures
from services.chat.rooms.hub import Hub
from services.chat.rooms.presence import Presence
from services.chat.rooms.wire import Ended, Gone, Posted, Said, Whispered, decode_said, encode_said

log = get_logger(__name__)

# One channel of Redis for all replicas.
TOPIC: Final = "chat:said"
_UNTOLD_AT_ONCE: Final = 500
_BEAT_SECONDS: Final = 5.0
# After three missed heartbeats, including our own, the subscription is broken.
_SILENCE_SECONDS: Final = 16.0
_AWAY_SECONDS: Final = 0.5
_WAIT_SECONDS: Final = 0.5
# How often the database is asked what was missed: while Redis works, and while it does not.
_ASK_SECONDS: Final = 30.0
_ASK_AWAY_SECONDS: Final = 2.0
_UNTOLD: Final = 10_000


class Fanout:
    """Publish the messages of this replica, and pass messages of other replicas to the hub.

    Redis only makes delivery faster: a message lost there is read from the database.
    """

    def __init__(
        self,
        redis: Redis | None,
        replica: UUID,
        hub: Hub,
        presence: Presence,
        departures: Departures,
        registry: CollectorRegistry,
    ) -> None:
        self._redis = redis
        # Stands before what we say: our own echo is proof that Redis works, and no news.
        self._replica = replica.bytes
        self._hub = hub
        self._presence = presence
        self._departures = departures
        self._subscription: Any = None
        self._received_at = 0.0
        self._batch: list[Said] = []
        self._wake = asyncio.Event()
        self._away_until = 0.0
        # The last message of each channel that could not be published to the other replicas.
        self._untold: dict[UUID, Posted] = {}
        self._asked_at = time.monotonic()
        up = Gauge(
            "chat_fanout_up",
            "1 while replicas receive each other's messages without delay, else 0.",
            registry=registry,
        )
        up.set_function(lambda: float(self.works))

    @property
    def works(self) -> bool:
        """Return whether the latest attempts to send and to receive through Redis succeeded."""
        return self._subscription is not None and not self._untold and self._away_until == 0.0

    def say(self, said: Said) -> None:
        """Publish a message: to local sockets at once, to other replicas with the next batch."""
        self._pass_on(said)
        if self._redis is None:
            return
        if self._away_until > time.monotonic():
            self._remember((said,))
        else:
            self._batch.append(said)
            self._wake.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Exchange messages with other replicas while the block runs."""
        async with AsyncExitStack() as stack:
            if self._redis is not None:
                # At the end, a message in transit can be dropped: no socket is left to receive it.
                await stack.enter_async_context(
                    repeating(self._receive, name="chat-hear", idle_seconds=0.0, stop_seconds=0)
                )
                await stack.enter_async_context(
                    repeating(self._announce, name="chat-tell", idle_seconds=0.0)
                )
                # Without this, the end would wait for the next heartbeat.
                stack.callback(self._wake.set)
            # An idle loop is asked every half second, and then asks the database when it is time.
            await stack.enter_async_context(
                repeating(self._ask, name="chat-ask", idle_seconds=_WAIT_SECONDS)
            )
            yield
        await self._unsubscribe()

    def _pass_on(self, said: Said) -> None:
        if isinstance(said, Posted):
            self._hub.posted(said)
        elif isinstance(said, Whispered):
            self._hub.whispered(said)
        elif isinstance(said, Gone):
            self._departures.account_gone(said.user_id)
        elif isinstance(said, Ended):
            self._departures.sessions_ended(said.user_id, said.sessions)
        else:
            self._presence.seen(said)

    async def _receive(self) -> bool:
        """Receive one batch of messages from Redis. Subscribe first if there is no subscription."""
        if self._subscription is None:
            await self._subscribe()
        try:
            message = await self._subscription.get_message(
                ignore_subscribe_messages=True, timeout=_WAIT_SECONDS
            )
        except BaseException:
            await self._unsubscribe()
            raise
        now = time.monotonic()
        if message is not None:
            self._received_at = now
            origin, said = message["data"][:16], message["data"][16:]
            if origin != self._replica:
                for one in decode_said(said):
                    self._pass_on(one)
        elif now - self._received_at > _SILENCE_SECONDS:
            log.warning("subscription_silent")
            await self._unsubscribe()
        # One batch after the other without a pause must not starve the sockets.
        await asyncio.sleep(0)
        return True

    async def _subscribe(self) -> None:
        assert self._redis is not None  # noqa: S101 - only then is it listened to
        self._subscription = await subscribed(self._redis, TOPIC)
        self._received_at = time.monotonic()
        # What was said before is past: the database knows it.
        self._asked_at = float("-inf")

    async def _unsubscribe(self) -> None:
        subscription, self._subscription = self._subscription, None
        if subscription is not None:
            await subscription.aclose()

    async def _announce(self) -> bool:
        """Publish the messages collected since the last batch, or a heartbeat if there are none."""
        if not self._batch and not self._untold:
            try:
                async with asyncio.timeout(_BEAT_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
        self._wake.clear()
        if self._away_until > time.monotonic():
            await asyncio.sleep(_AWAY_SECONDS)
        batch, self._batch = self._batch, []
        await self._publish(batch)
        return True

    async def _publish(self, batch: list[Said]) -> None:
        assert self._redis is not None  # noqa: S101 - the loop runs only with Redis
        untold = list(islice(self._untold.values(), _UNTOLD_AT_ONCE))
        try:
            await self._redis.publish(TOPIC, self._replica + encode_said([*untold, *batch]))
        except (RedisError, OSError) as error:
            if self._away_until == 0.0:
                log.warning("replicas_not_told", error=error)
            self._away_until = time.monotonic() + _AWAY_SECONDS
            self._remember(batch)
        else:
            self._away_until = 0.0
            for said in untold:
                if self._untold.get(said.channel_id) is said:
                    del self._untold[said.channel_id]

    def _remember(self, batch: tuple[Said, ...] | list[Said]) -> None:
        for said in batch:
            if not isinstance(said, Posted):
                continue
            known = self._untold.get(said.channel_id)
            if known is None and len(self._untold) >= _UNTOLD:
                continue
            if known is None or known.sequence < said.sequence:
                # Only that it is there: the frame would be kept for as long as Redis is away.
                self._untold[said.channel_id] = Posted(
                    said.channel_id, said.sequence, said.members, b""
                )

    async def _ask(self) -> bool:
        """Query the database for missed messages. Query more often while Redis is down."""
        wait = _ASK_SECONDS if self.works else _ASK_AWAY_SECONDS
        if time.monotonic() - self._asked_at >= wait:
            self._asked_at = time.monotonic()
            await self._hub.catch_up()
            await self._departures.catch_up()
        return False
