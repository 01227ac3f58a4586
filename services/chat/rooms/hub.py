"""The users connected to this process, and their channels."""

from __future__ import annotations

import asyncio
from typing import Final
from uuid import UUID

from prometheus_client import CollectorRegistry

from lib.db import Executor
from lib.log import get_logger
from services.chat.rooms.feed import Feed, LocalUser
from services.chat.rooms.metrics import HubMetrics
from services.chat.rooms.seat import Seat
from services.chat.rooms.wire import Posted, Whispered, delivered
from services.chat.store import channels, messages
from services.chat.store.models import Message

log = get_logger(__name__)

# Of one user; of those with more, the older channels are followed from their next message on.
_CHANNELS: Final = 1000
# How long a message may be overtaken by later ones before it is looked for.
_PATIENCE_SECONDS: Final = 0.05
_RETRY_SECONDS: Final = 1.0
_PAGE: Final = 100
_ASKED_AT_ONCE: Final = 5000
_READERS: Final = 4
_EARLY: Final = 1000


class Hub:
    """Deliver messages to the channel members who are connected to this process.

    If the announcement of a message does not arrive, read the message from the database.
    """

    def __init__(self, db: Executor, registry: CollectorRegistry) -> None:
        self._db = db
        self._users: dict[UUID, LocalUser] = {}
        self._feeds: dict[UUID, Feed] = {}
        self._loading: dict[UUID, asyncio.Lock] = {}
        # Messages of unknown channels that arrived while a user's channels were being read.
        self._early: list[Posted] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._readers = asyncio.Semaphore(_READERS)
        self._metrics = HubMetrics(registry, self)

    @property
    def size(self) -> tuple[int, int]:
        """Return the number of connected users and the number of their channels."""
        return len(self._users), len(self._feeds)

    async def join(self, user_id: UUID, seat: Seat) -> bool:
        """Register a socket of a user. Return whether it is the user's first in this process.

        Raises:
            AppError: if the user's channels cannot be read; the socket is not registered then.
        """
        user = self._users.get(user_id)
        first = user is None
        if user is None:
            user = self._users[user_id] = LocalUser(user_id)
        user.seats.add(seat)
        if not first and user_id not in self._loading:
            return False
        try:
            # One reads, the others wait for it.
            async with self._loading.setdefault(user_id, asyncio.Lock()):
                if user_id in self._loading:
                    await self._load(user)
                    del self._loading[user_id]
                    self._replay()
        except BaseException:
            self.leave(user_id, seat)
            raise
        return first

    def leave(self, user_id: UUID, seat: Seat) -> bool:
        """Remove a socket. Return whether the user has no sockets left."""
        user = self._users.get(user_id)
        if user is None or seat not in user.seats:
            return False
        user.seats.discard(seat)
        if user.seats:
            return False
        del self._users[user_id]
        self._loading.pop(user_id, None)
        for channel_id in user.channels:
            feed = self._feeds[channel_id]
            feed.users.remove(user)
            if not feed.users:
                del self._feeds[channel_id]
        return True

    def has(self, user_id: UUID) -> bool:
        """Return whether a user has a socket in this process."""
        return user_id in self._users

    def members(self, user_id: UUID, channel_id: UUID) -> tuple[UUID, UUID] | None:
        """Return the members of a user's channel, or None for a channel unknown to this process."""
        feed = self._feeds.get(channel_id)
        return feed.members if feed is not None and user_id in feed.members else None

    def position(self, channel_id: UUID) -> int:
        """Return the sequence number of a channel's last delivered message, or 0."""
        feed = self._feeds.get(channel_id)
        return 0 if feed is None else feed.last

    def posted(self, said: Posted) -> None:
        """Deliver a message to the members who are connected to this process.

        If earlier messages are missing, deliver it after them.
        """
        feed = self._feeds.get(said.channel_id) or self._adopt(said)
        if feed is None:
            return
        self._metrics.delivered.inc(feed.accept(said.sequence, said.frame))
        if feed.lacks and not feed.is_catching_up:
            self._fill_later(feed, _PATIENCE_SECONDS)

    def whispered(self, said: Whispered) -> None:
        """Send a frame to its recipients who are connected to this process."""
        for user_id in said.to:
            user = self._users.get(user_id)
            if user is not None:
                for seat in user.seats:
                    seat.give(said.frame)

    async def catch_up(self) -> None:
        """Query the latest sequence numbers in the users' channels, and read missing messages.

        Raises:
            AppError: if the database does not respond.
        """
        feeds = list(self._feeds.values())
        for start in range(0, len(feeds), _ASKED_AT_ONCE):
            some = feeds[start : start + _ASKED_AT_ONCE]
            for row in await channels.list_advanced(
                self._db, ids=[feed.id for feed in some], lasts=[feed.last for feed in some]
            ):
                feed = self._feeds.get(row.id)
                if feed is not None:
                    feed.known = max(feed.known, row.last_sequence)
                    if feed.lacks and not feed.is_catching_up:
                        self._fill_later(feed, _PATIENCE_SECONDS)

    async def close(self) -> None:
        """Cancel the tasks that read missing messages."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _load(self, user: LocalUser) -> None:
        rows = await channels.list_positions(self._db, user_id=user.id, most=_CHANNELS)
        user.complete = len(rows) < _CHANNELS
        for row in rows:
            if row.id not in user.channels:
                feed = self._feeds.get(row.id)
                if feed is None:
                    members = (row.customer_id, row.provider_id)
                    feed = self._feeds[row.id] = Feed(row.id, members, row.last_sequence)
                self._follow(user, feed)

    def _replay(self) -> None:
        early, self._early = self._early, []
        for said in early:
            self.posted(said)

    def _adopt(self, said: Posted) -> Feed | None:
        """Follow a message's channel if a member of the channel is connected to this process."""
        here = [self._users[user_id] for user_id in said.members if user_id in self._users]
        if not here:
            return None
        if any(user.id in self._loading for user in here):
            # Where it stood when they came is about to be known.
            if len(self._early) < _EARLY:
                self._early.append(said)
            return None
        last = 0 if all(user.complete for user in here) else said.sequence - 1
        feed = self._feeds[said.channel_id] = Feed(said.channel_id, said.members, last)
        for user in here:
            self._follow(user, feed)
        return feed

    def _follow(self, user: LocalUser, feed: Feed) -> None:
        user.channels.add(feed.id)
        feed.users.append(user)

    def _fill_later(self, feed: Feed, seconds: float) -> None:
        feed.is_catching_up = True
        asyncio.get_running_loop().call_later(seconds, self._fill_if_needed, feed)

    def _fill_if_needed(self, feed: Feed) -> None:
        if not feed.lacks or not feed.users:
            feed.is_catching_up = False
            return
        task = asyncio.create_task(self._fill(feed), name="chat-fill")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _fill(self, feed: Feed) -> None:
        self._metrics.fills.inc()
        try:
            async with self._readers:
                while feed.lacks and feed.users:
                    known = feed.known
                    rows = await self._newer(feed.id, feed.last)
                    for row in rows:
                        self._metrics.delivered.inc(feed.fill(row.sequence, delivered(row)))
                    if not rows:
                        feed.give_up(known)
        except Exception as error:  # noqa: BLE001 - tried again until the database answers
            log.warning("messages_not_read", channel_id=str(feed.id), error=error)
            self._fill_later(feed, _RETRY_SECONDS)
        else:
            feed.is_catching_up = False

    async def _newer(self, channel_id: UUID, above: int) -> list[Message]:
        return await messages.list_newer(self._db, channel_id=channel_id, above=above, most=_PAGE)
