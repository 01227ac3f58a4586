"""Actions of members in their channels, and the notifications about them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final, TypeVar
from uuid import UUID

from redis.asyncio import Redis
from redis.exceptions import RedisError

from lib.clock import utc_now
from lib.db import Executor
from services.chat.model.frames import IsPresent, IsTyping, WasRead
from services.chat.rooms.fanout import Fanout
from services.chat.rooms.hub import Hub
from services.chat.rooms.metrics import SocketMetrics
from services.chat.rooms.presence import Presence
from services.chat.rooms.seat import Seat
from services.chat.rooms.wire import Posted, Whispered, delivered, framed
from services.chat.service import channels, messages
from services.chat.service.messages import Stored

T = TypeVar("T")

# How long a user counts as typing. The state is published at most once in this time, less a
# second.
TYPING_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Chat:
    """The actions of chat members, performed by this process."""

    db: Executor
    redis: Redis | None
    hub: Hub
    fanout: Fanout
    presence: Presence
    metrics: SocketMetrics
    writable: timedelta  # how long a channel may be written in after it has ended
    _running: set[asyncio.Task[Any]] = field(default_factory=set)

    async def send(
        self,
        user_id: UUID,
        channel_id: UUID,
        client_id: str,
        text: str,
        acknowledge: Callable[[Stored], None] = lambda _: None,
    ) -> Stored:
        """Store a message and notify both members. If it is already stored, notify them again.

        The message is stored and announced even if the caller disconnects meanwhile. `acknowledge`
        is called in the same iteration of the event loop as the notifications, so that a socket
        writes both at once.

        Raises:
            AppError: as `messages.send` does; the members are not notified then.
        """
        work = self._send(user_id, channel_id, client_id, text, acknowledge)
        return await self._unbroken(work)

    async def mark_read(self, user_id: UUID, channel_id: UUID, message_id: UUID) -> int:
        """Move the user's read position to a message. Return the message's sequence number.

        Raises:
            AppError: as `messages.mark_read` does.
        """
        sequence, moved = await messages.mark_read(
            self.db, channel_id=channel_id, user_id=user_id, message_id=message_id
        )
        if moved:
            to = await self._members(user_id, channel_id)
            frame = framed(WasRead(channel_id, user_id, message_id, sequence))
            self.fanout.say(Whispered(to, frame))
        return sequence

    async def typing(self, user_id: UUID, channel_id: UUID) -> None:
        """Notify the channel's other member that the user is typing.

        Raises NOT_FOUND or FORBIDDEN as `channels.writing_members` does.
        """
        await self._members(user_id, channel_id)
        if not await self._is_first(f"chat:typing:{channel_id}:{user_id}"):
            return
        other = await self._other(user_id, channel_id)
        frame = framed(IsTyping(channel_id, user_id, TYPING_SECONDS))
        self.fanout.say(Whispered((other,), frame))

    async def watch(self, seat: Seat, user_id: UUID, channel_id: UUID) -> IsPresent:
        """Send the online status of the channel's other member, now and after every change.

        Raises NOT_FOUND, or FORBIDDEN if a member has blocked the channel.
        """
        other = await self._other(user_id, channel_id)
        return IsPresent(channel_id, other, await self.presence.watch(seat, other, channel_id))

    async def _send(
        self,
        user_id: UUID,
        channel_id: UUID,
        client_id: str,
        text: str,
        acknowledge: Callable[[Stored], None],
    ) -> Stored:
        stored = await messages.send(
            self.db,
            channel_id=channel_id,
            author_id=user_id,
            client_id=client_id,
            text=text,
            ended_before=utc_now() - self.writable,
        )
        message = stored.message
        if not stored.replayed:
            self.metrics.stored.inc()
        # A repeated message is published too: the process that stored it may have died before it
        # published it.
        self.fanout.say(Posted(channel_id, message.sequence, stored.members, delivered(message)))
        acknowledge(stored)
        return stored

    async def _other(self, user_id: UUID, channel_id: UUID) -> UUID:
        """Return the other member of a channel. Raises FORBIDDEN if the channel is blocked."""
        found = await channels.writing_members(self.db, user_id, channel_id)
        return found.provider_id if user_id == found.customer_id else found.customer_id

    async def _members(self, user_id: UUID, channel_id: UUID) -> tuple[UUID, UUID]:
        known = self.hub.members(user_id, channel_id)
        if known is not None:
            return known
        found = await channels.members(self.db, user_id, channel_id)
        return found.customer_id, found.provider_id

    async def _is_first(self, key: str) -> bool:
        """Return whether `key` was not used in the last few seconds.

        Without Redis, every key counts as new.
        """
        if self.redis is None:
            return True
        try:
            pause = int((TYPING_SECONDS - 1) * 1000)
            return bool(await self.redis.set(key, b"", nx=True, px=pause))
        except (RedisError, OSError):
            return True

    async def _unbroken(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return await asyncio.shield(task)
