"""Channels: opened by events of orders, visible to their two members."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from lib.auth.guards import forbidden
from lib.db import Database, Executor
from lib.errors import AppError, Code, not_found
from lib.ids import new_id
from lib.resource.lists import PageQuery
from services.chat.store import channels as store
from services.chat.store import departed
from services.chat.store.channels import GetMembersRow, GetStateRow, ListChannelsRow
from services.chat.store.models import Channel, ChannelKind


async def open_channel(
    tx: Executor, kind: ChannelKind, subject_id: UUID, *, customer_id: UUID, provider_id: UUID
) -> bool:
    """Open the channel of an order or job. Return whether the channel is new."""
    channel_id = new_id()
    added = await store.add_channel(
        tx,
        channel_id=channel_id,
        kind=kind,
        subject_id=subject_id,
        customer_id=customer_id,
        provider_id=provider_id,
    )
    if not added:
        return False
    members = (customer_id, provider_id)
    await store.add_members(tx, [store.AddMembersParams(channel_id, one) for one in members])
    return True


async def list_mine(
    db: Executor,
    user_id: UUID,
    wanted: PageQuery,
    *,
    kind: ChannelKind | None,
    subject_id: UUID | None,
) -> tuple[Sequence[ListChannelsRow], int]:
    """Return a page of a user's channels, most recent message first, and the total count."""
    rows = await store.list_channels(
        db,
        user_id=user_id,
        kind=kind,
        subject_id=subject_id,
        page_size=wanted.page_size,
        skip=wanted.offset,
    )
    if 0 < len(rows) < wanted.page_size:  # the last page
        return rows, wanted.offset + len(rows)
    # The list joins the newest messages and what is unread, which the total does not need.
    return rows, await store.count_channels(db, user_id=user_id, kind=kind, subject_id=subject_id)


async def get_mine(db: Executor, user_id: UUID, channel_id: UUID) -> ListChannelsRow:
    """Return one of a user's channels. Raises NOT_FOUND, also for channels of other users."""
    found = await store.list_channels(
        db, user_id=user_id, channel_id=channel_id, page_size=1, skip=0
    )
    if not found:
        raise no_such_channel()
    return found[0]


async def get(db: Executor, channel_id: UUID) -> Channel:
    """Return any channel, for moderators. Raises NOT_FOUND."""
    found = await store.get_channel(db, channel_id=channel_id)
    if found is None:
        raise no_such_channel()
    return found


async def members(db: Executor, user_id: UUID, channel_id: UUID) -> GetMembersRow:
    """Return the members of one of a user's channels. Raises NOT_FOUND."""
    found = await store.get_members(db, channel_id=channel_id, user_id=user_id)
    if found is None:
        raise no_such_channel()
    return found


async def block(db: Database, user_id: UUID, channel_id: UUID, *, blocked: bool) -> ListChannelsRow:
    """Block one of a user's channels for both members, or remove the user's own block.

    Raises:
        AppError: NOT_FOUND if the user is not a member of the channel.
    """
    if not await store.set_blocked(db, channel_id=channel_id, user_id=user_id, blocked=blocked):
        raise no_such_channel()
    return await get_mine(db, user_id, channel_id)


async def writing_members(db: Executor, user_id: UUID, channel_id: UUID) -> GetStateRow:
    """Return the members of a channel in which the user may write.

    Raises:
        AppError: NOT_FOUND if the user is not a member of the channel; FORBIDDEN if a member has
            blocked the channel or the user's account is not active.
    """
    state = await store.get_state(db, channel_id=channel_id, user_id=user_id)
    if state is None:
        raise no_such_channel()
    if state.departed:
        raise not_active()
    if state.blocked:
        raise forbidden("a member has blocked this channel")
    return state


async def check_writable(
    db: Executor, user_id: UUID, channel_id: UUID, *, ended_before: datetime
) -> None:
    """Check that the user may write in the channel.

    Raises:
        AppError: the errors of `writing_members`; CONFLICT if the channel ended at or before
            `ended_before`.
    """
    state = await writing_members(db, user_id, channel_id)
    if state.ended_at is not None and state.ended_at <= ended_before:
        raise AppError(Code.CONFLICT, "the channel has ended and is read-only")


async def check_active(db: Executor, user_id: UUID, session_id: UUID | None) -> None:
    """Raise FORBIDDEN if the account or the session of the token has ended."""
    standing = await departed.get_standing(db, user_id=user_id, session_id=session_id)
    if standing.departed:
        raise not_active()
    if standing.ended:
        raise forbidden("your session has ended, sign in again")


def not_active() -> AppError:
    """Return the error for a deactivated or deleted account."""
    return forbidden("the account is no longer active")


def no_such_channel() -> AppError:
    """Return the same error for a missing channel and a channel of other users."""
    return not_found("channel")
