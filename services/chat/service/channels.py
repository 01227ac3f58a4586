"""Channels: opened by what happens to orders, seen by their two members."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from lib.db import Executor
from lib.errors import AppError, not_found
from lib.ids import new_id
from lib.resource.lists import PageQuery, page_of
from services.chat.store import channels as store
from services.chat.store.channels import GetMembersRow, ListChannelsRow
from services.chat.store.models import Channel, ChannelKind


async def open_channel(
    tx: Executor, kind: ChannelKind, subject_id: UUID, *, customer_id: UUID, provider_id: UUID
) -> bool:
    """Open the channel of an order or a job; say whether it is new."""
    channel_id = new_id()
    added = await store.add_channel(
        tx,
        id=channel_id,
        kind=kind,
        subject_id=subject_id,
        customer_id=customer_id,
        provider_id=provider_id,
    )
    if not added:
        return False
    for user_id in (customer_id, provider_id):
        await store.add_member(tx, channel_id=channel_id, user_id=user_id)
    return True


async def list_mine(
    db: Executor,
    user_id: UUID,
    wanted: PageQuery,
    *,
    kind: ChannelKind | None,
    subject_id: UUID | None,
) -> tuple[Sequence[ListChannelsRow], int]:
    """Return a page of a user's channels, newest message first, and how many there are."""
    return await page_of(
        wanted,
        store.list_channels,
        store.count_channels,
        db,
        user_id=user_id,
        kind=kind,
        subject_id=subject_id,
    )


async def get_mine(db: Executor, user_id: UUID, channel_id: UUID) -> ListChannelsRow:
    """Return one of a user's channels or raise NOT_FOUND, as for one that does not exist."""
    found = await store.list_channels(
        db, user_id=user_id, channel_id=channel_id, page_size=1, skip=0
    )
    if not found:
        raise no_such_channel()
    return found[0]


async def get(db: Executor, channel_id: UUID) -> Channel:
    """Return anybody's channel, for who moderates, or raise NOT_FOUND."""
    found = await store.get_channel(db, id=channel_id)
    if found is None:
        raise no_such_channel()
    return found


async def members(db: Executor, user_id: UUID, channel_id: UUID) -> GetMembersRow:
    """Return the two members of one of a user's channels or raise NOT_FOUND."""
    found = await store.get_members(db, channel_id=channel_id, user_id=user_id)
    if found is None:
        raise no_such_channel()
    return found


def no_such_channel() -> AppError:
    """Return the error for a channel that does not exist or is somebody else's: all the same."""
    return not_found("channel")
