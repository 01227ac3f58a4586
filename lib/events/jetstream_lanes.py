"""The reading of one JetStream topic by a member of a consumer group."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription as Inbox
from nats.errors import Error
from nats.js import api

from lib.events.broker import Backlog, Entry, dead_letter
from lib.events.jetstream_names import body, dead_name, fields_of, stream_name
from lib.events.outbox import LANES

if TYPE_CHECKING:
    from lib.events.jetstream import JetStream

# A pull request is valid for this long; a request that was lost with a server is sent again. The
# request must expire before the entries of a dead process are redelivered: servers up to at least
# 2.9 count a delivery to a dead member, and then begin one entry earlier, even before the first.
_WISH_SECONDS: Final = 1.0
_WISHES_A_SPAN: Final = 4
_AGAIN_SECONDS: Final = 0.25
_AFTER_SECONDS: Final = 0.05
_WISHED: Final = 1000
_ENDED: Final = "408"
_NO_RESPONDER: Final = "503"
# How many heartbeats a member sends in the time after which it counts as dead.
_BEATS: Final = 4


class Lanes:
    """Read and finish entries of one topic. A group has at most one entry in flight per lane.

    See `lib.events.broker.Subscription`. The server gives the entries of an ended member to any
    other member. It counts deliveries to a process, not attempts in the process.
    """

    def __init__(self, broker: JetStream, topic: str, group: str) -> None:
        self._broker, self._topic, self._group = broker, topic, group
        self._stream = stream_name(topic)
        # Our unfinished entries in the order of their arrival, and the IDs of those that no read
        # has returned yet.
        self._ours: dict[str, Msg] = {}
        self._fresh: list[str] = []
        self._news = asyncio.Event()
        self._client: Client | None = None
        self._inbox = ""
        self._hearing: Inbox | None = None
        self._wish_seconds = min(_WISH_SECONDS, broker.ack_seconds / _WISHES_A_SPAN)
        self._wished_until = [0.0] * LANES
        self._wished = [0] * LANES
        self._beating: asyncio.Task[None] | None = None

    async def create(self) -> None:
        """Create missing consumers, and an inbox for their deliveries."""
        client = await self._broker.client()
        if client is self._client:
            return
        await self._broker.ensure(self._topic)
        js = await self._broker.context()
        configs = [
            api.ConsumerConfig(
                durable_name=f"{self._group}-{lane}",
                filter_subject=f"events.{self._topic}.{lane}",
                ack_policy=api.AckPolicy.EXPLICIT,
                ack_wait=self._broker.ack_seconds,
                max_ack_pending=1,
            )
            for lane in range(LANES)
        ]
        await asyncio.gather(*(js.add_consumer(self._stream, config) for config in configs))
        self._inbox = client.new_inbox()
        self._hearing = await client.subscribe(f"{self._inbox}.*", cb=self._receive)
        self._wished_until = [0.0] * LANES
        self._client = client
        if self._beating is None:
            self._beating = asyncio.create_task(self._beat(), name=f"beat-{self._topic}")

    async def read_new(self, count: int, block_seconds: float) -> list[Entry]:
        """Return undelivered entries. Wait a short time for the first entry."""
        await self.create()
        await self._wish()
        if not self._fresh:
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(block_seconds):
                    await self._news.wait()
        some, self._fresh = self._fresh[:count], self._fresh[count:]
        return [self._entry(entry_id) for entry_id in some]

    async def read_own_oldest(self) -> Entry | None:
        """Return the oldest entry that this member has received and not finished."""
        for entry_id in self._ours:
            self._fresh = [other for other in self._fresh if other != entry_id]
            return self._entry(entry_id)
        return None

    async def claim_idle(self, idle_seconds: float) -> Entry | None:  # noqa: ARG002 - of the port
        """Return None, because the server redelivers abandoned entries through `read_new`."""
        return None

    async def acknowledge(self, *entry_ids: str) -> None:
        """Acknowledge entries.

        A lost acknowledgement leads to a redelivery, which the inbox detects.
        """
        for entry_id in entry_ids:
            if (message := self._ours.pop(entry_id, None)) is not None:
                await self._say(message, b"+ACK")

    async def move_to_dead_letters(self, entry: Entry, reason: str) -> None:
        """Store a dead letter, then finish the entry.

        A repeated call within two minutes does not store a second dead letter.
        """
        js = await self._broker.context()
        named = {api.Header.MSG_ID.value: f"{self._group}-{entry.id}"}
        text = body(dead_letter(entry, self._group, reason))
        await js.publish(dead_name(self._topic), text, headers=named)
        await self.acknowledge(entry.id)

    async def keep(self, entries: Sequence[Entry]) -> None:
        """Do nothing, because a member owns its entries while its process runs."""

    async def uncount_delivery(self, entry: Entry) -> None:
        """Do nothing, because attempts within a process are not counted."""

    async def backlog(self) -> Backlog:
        """Return the backlog of the group."""
        mine = [
            info
            for info in await self._broker.consumers(self._stream)
            if (info.config.durable_name or "").rpartition("-")[0] == self._group
        ]
        return Backlog(
            lag=sum(info.num_pending or 0 for info in mine),
            pending=sum(info.num_ack_pending or 0 for info in mine),
            dead=await self._broker.count(dead_name(self._topic)),
        )

    async def close(self) -> None:
        """Release unfinished entries, so that other members need not wait for the timeout."""
        if self._beating is not None:
            self._beating.cancel()
            self._beating = None
        client, self._client = self._client, None
        if client is None or client.is_closed:
            return
        with suppress(Error, OSError):
            # First no wish of ours is left, so that nothing of it is given to us again.
            await asyncio.sleep(
                max(0.0, max(self._wished_until) - time.monotonic() + _AFTER_SECONDS)
            )
            for message in self._ours.values():
                await self._say(message, b"-NAK")
            if self._hearing is not None:
                await self._hearing.unsubscribe()
            await client.flush(timeout=1)
        self._ours.clear()
        self._fresh.clear()

    def _entry(self, entry_id: str) -> Entry:
        message = self._ours[entry_id]
        return Entry(entry_id, fields_of(message.data), message.metadata.num_delivered or 1)

    async def _receive(self, message: Msg) -> None:
        """Receive a delivered entry, or the status message that ends a request for entries."""
        lane = int(message.subject.rpartition(".")[2])
        if status := (message.headers or {}).get("Status"):
            self._wished_until[lane] = (
                0.0 if status == _ENDED else time.monotonic() + _AGAIN_SECONDS
            )
            if status == _NO_RESPONDER:
                self._client = None  # no consumer, or a consumer without a leader: look again
            return
        self._wished[lane] -= 1
        at = message.metadata
        entry_id = f"{int(at.timestamp.timestamp() * 1000)}-{at.sequence.stream}"
        if entry_id not in self._ours:
            self._fresh.append(entry_id)
        self._ours[entry_id] = message
        self._news.set()

    async def _wish(self) -> None:
        """Request entries for each lane that has no pending request to the NATS server."""
        now = time.monotonic()
        wish = msgspec.json.encode({"batch": _WISHED, "expires": int(self._wish_seconds * 1e9)})
        for lane, until in enumerate(self._wished_until):
            if (now < until and self._wished[lane] > 0) or self._client is None:
                continue
            consumer = f"{self._stream}.{self._group}-{lane}"
            await self._client.publish(
                f"$JS.API.CONSUMER.MSG.NEXT.{consumer}", wish, reply=f"{self._inbox}.{lane}"
            )
            self._wished_until[lane], self._wished[lane] = now + self._wish_seconds, _WISHED

    async def _beat(self) -> None:
        """Report to the server periodically that this member still handles its entries."""
        while True:
            await asyncio.sleep(self._broker.ack_seconds / _BEATS)
            with suppress(Error, OSError):
                for message in list(self._ours.values()):
                    await self._say(message, b"+WPI")

    async def _say(self, message: Msg, said: bytes) -> None:
        # Over the present connection: it need not be the one over which the entry came.
        await (await self._broker.client()).publish(message.reply, said)
