"""Send a socket its missed messages, without a gap before new messages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias
from uuid import UUID

from lib.db import Executor
from services.chat.rooms.hub import Hub
from services.chat.rooms.seat import Seat
from services.chat.rooms.wire import delivered
from services.chat.store import channels, messages

# Waits while its socket is slow, so that no more than a page is in memory.
Send: TypeAlias = Callable[[bytes], Awaitable[None]]
_PAGE: Final = 100


async def resume(
    db: Executor, hub: Hub, seat: Seat, user_id: UUID, after: dict[UUID, int], send: Send
) -> dict[UUID, int]:
    """Send missed messages in order, then new ones. Return each channel's last sequence number.

    The result omits channels of which the user is not a member.

    Raises:
        AppError: if messages cannot be read; the caller must close the socket then.
    """
    for channel_id in after:
        seat.hold(channel_id)
    seat.live = True
    if not after:
        return {}
    stored = {
        row.id: row.last_sequence
        for row in await channels.list_positions_among(db, user_id=user_id, channel_ids=list(after))
    }
    reached = {}
    for channel_id, wanted in after.items():
        if channel_id not in stored:
            seat.catch_up_done(channel_id, 0, 0)
            continue
        # Who claims to have more than there is must not miss what comes.
        position = min(wanted, stored[channel_id])
        if position < max(stored[channel_id], hub.position(channel_id)):
            position = await _read_on(db, hub, channel_id, position, send)
        reached[channel_id] = position
        seat.catch_up_done(channel_id, position, hub.position(channel_id))
    return reached


async def _read_on(db: Executor, hub: Hub, channel_id: UUID, position: int, send: Send) -> int:
    while True:
        # What was delivered before the database is asked is in its answer, if it is kept still.
        announced = hub.position(channel_id)
        rows = await messages.list_newer(db, channel_id=channel_id, above=position, most=_PAGE)
        for row in rows:
            await send(delivered(row))
            position = row.sequence
        # Without waiting between this and the caller's next step: nothing comes in between.
        if len(rows) < _PAGE and hub.position(channel_id) <= max(position, announced):
            return position
