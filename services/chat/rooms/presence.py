"""Store in Redis which users are online, and notify the sockets that watch these users."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from itertools import islice
from typing import Final
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from lib.events.background import repeating
from services.chat.model.frames import IsPresent
from services.chat.rooms.seat import Seat
from services.chat.rooms.wire import Seen, framed

# After this long without a word from its replica a user counts as gone.
TTL_SECONDS: Final = 60
_REFRESH_SECONDS: Final = 20.0
_STEP_SECONDS: Final = 0.25
_AT_ONCE: Final = 500
# How many channels one socket may watch.
WATCHED: Final = 100


class Presence:
    """Record this process's users, look up other users in Redis, and notify the watching sockets.

    Without Redis, a user counts as online only while connected to this process.
    """

    def __init__(self, redis: Redis | None, replica: str, here: Callable[[UUID], bool]) -> None:
        self._redis = redis
        self._replica = replica
        self._here = here
        self._users: set[UUID] = set()
        self._changed: set[UUID] = set()
        # Who is watched → which sockets, for which channels.
        self._seats: dict[UUID, dict[Seat, set[UUID]]] = {}
        self._known: dict[UUID, bool] = {}
        self._refreshed_at = 0.0

    def touch(self, user_id: UUID) -> None:
        """Record that a user has connected to or disconnected from this process."""
        self._changed.add(user_id)

    async def watch(self, seat: Seat, user_id: UUID, channel_id: UUID) -> bool:
        """Notify a socket when the other member of a channel connects or disconnects.

        Returns:
            Whether the other member is online now.
        """
        online = self._here(user_id) or await self._elsewhere(user_id)
        self._seats.setdefault(user_id, {}).setdefault(seat, set()).add(channel_id)
        self._known[user_id] = online
        return online

    def forget(self, seat: Seat, watched: Sequence[UUID]) -> None:
        """Stop notifying a socket that is closed."""
        for user_id in watched:
            seats = self._seats.get(user_id, {})
            seats.pop(seat, None)
            if not seats:
                self._seats.pop(user_id, None)
                self._known.pop(user_id, None)

    def seen(self, said: Seen) -> None:
        """Notify the sockets that watch a user whose state has changed."""
        seats = self._seats.get(said.user_id)
        # A replica that says `gone` may not know that the user is here.
        online = said.online or self._here(said.user_id)
        if not seats or self._known.get(said.user_id) == online:
            return
        self._known[said.user_id] = online
        for seat, channels in seats.items():
            for channel_id in channels:
                seat.give(framed(IsPresent(channel_id, said.user_id, online)))

    @asynccontextmanager
    async def running(self, say: Callable[[Seen], None]) -> AsyncIterator[None]:
        """Update in Redis, while the block runs, which users are connected to this process.

        At the end, this process marks all its users offline.
        """

        async def step() -> bool:
            await self._announce(say)
            return False

        try:
            async with repeating(step, name="chat-presence", idle_seconds=_STEP_SECONDS):
                yield
        finally:
            with suppress(RedisError, OSError):
                await self._announce(say)

    async def _announce(self, say: Callable[[Seen], None]) -> None:
        changed = list(islice(self._changed, _AT_ONCE))
        if changed:
            self._changed.difference_update(changed)
            try:
                anywhere = await self._record(changed)
            except BaseException:
                self._changed.update(changed)
                raise
            for user_id, online in zip(changed, anywhere, strict=True):
                say(Seen(user_id, online))
        if time.monotonic() - self._refreshed_at >= _REFRESH_SECONDS:
            self._refreshed_at = time.monotonic()
            await self._refresh()

    async def _refresh(self) -> None:
        """Refresh this process's users in Redis, and query the status of other watched users."""
        users = list(self._users)
        for start in range(0, len(users), _AT_ONCE):
            await self._record(users[start : start + _AT_ONCE])
        elsewhere = [user_id for user_id in self._seats if not self._here(user_id)]
        for start in range(0, len(elsewhere), _AT_ONCE):
            some = elsewhere[start : start + _AT_ONCE]
            for user_id, online in zip(some, await self._record(some), strict=True):
                self.seen(Seen(user_id, online))

    async def _record(self, users: Sequence[UUID]) -> list[bool]:
        """Store in Redis which users are connected to this process.

        Return for each user whether the user is online on any replica.
        """
        present = [self._here(user_id) for user_id in users]
        for user_id, here in zip(users, present, strict=True):
            if here:
                self._users.add(user_id)
            else:
                self._users.discard(user_id)
        if self._redis is None:
            return present
        now = time.time()
        pipeline = self._redis.pipeline(transaction=False)
        for user_id, here in zip(users, present, strict=True):
            key = _key(user_id)
            if here:
                pipeline.zadd(key, {self._replica: now + TTL_SECONDS})
                pipeline.expire(key, TTL_SECONDS)
            else:
                pipeline.zrem(key, self._replica)
                pipeline.zcount(key, now, "+inf")
        answers = await pipeline.execute()
        # Two answers for each: the second is the count where the user is not here.
        return [here or int(count) > 0 for here, count in zip(present, answers[1::2], strict=True)]

    async def _elsewhere(self, user_id: UUID) -> bool:
        if self._redis is None:
            return False
        try:
            return bool(await self._redis.zcount(_key(user_id), time.time(), "+inf"))
        except (RedisError, OSError):
            return False


def _key(user_id: UUID) -> str:
    return f"chat:online:{user_id}"
