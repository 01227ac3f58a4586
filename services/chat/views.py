"""Request and response types of the HTTP routes."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from lib.resource.input import Input, Query
from lib.resource.lists import PageQuery
from lib.resource.views import view
from services.chat.model.frames import ClientId, Text
from services.chat.store.channels import ListChannelsRow
from services.chat.store.models import ChannelKind, Message


class ChannelQuery(PageQuery, frozen=True, kw_only=True):
    """Page of the caller's channels, most recent message first."""

    kind: ChannelKind | None = None
    subject_id: Annotated[UUID | None, Meta(description="ID of the service order or job")] = None


class HistoryQuery(Query, frozen=True, kw_only=True):
    """Page of a channel's messages, newest first."""

    before: Annotated[
        UUID | None, Meta(description="ID of a message; return only messages before this one")
    ] = None
    limit: Annotated[int, Meta(ge=1, le=100, description="maximum number of messages")] = 50


class NewMessage(Input, frozen=True, kw_only=True):
    """A message to send. If the `client_id` was used before, the earlier message is returned."""

    client_id: ClientId
    text: Text


class ReadUpTo(Input, frozen=True, kw_only=True):
    """The message up to which the caller has read the channel."""

    message_id: UUID


class LastMessage(msgspec.Struct, frozen=True):
    """The newest message of a channel, shown in the list of channels."""

    id: UUID
    author_id: UUID
    text: str
    created_at: datetime


class ChannelView(msgspec.Struct, frozen=True, kw_only=True):
    """A channel, seen by one of its members.

    `read_sequence` is the number of the last message that the caller has read. `unread` counts the
    later messages of the other member, up to 100. `other_read_sequence` is the number of the last
    message that the other member has read. `ended_at` is the time when the job or order ended. The
    channel accepts messages for `CHAT_CLOSED_DAYS` more days (a setting). If `blocked` is true, a
    member has blocked the channel, and neither member can write.
    """

    id: UUID
    kind: ChannelKind
    subject_id: UUID
    customer_id: UUID
    provider_id: UUID
    last_sequence: int
    read_sequence: int
    other_read_sequence: int
    unread: int
    last_message: LastMessage | None
    blocked: bool
    blocked_by_me: bool
    created_at: datetime
    ended_at: datetime | None


class History(msgspec.Struct, frozen=True):
    """A page of messages. To get the page of older messages, send `next_before` as `before`."""

    messages: list[Message]
    next_before: UUID | None


class ReadMark(msgspec.Struct, frozen=True):
    """The message up to which the caller has read the channel."""

    channel_id: UUID
    message_id: UUID
    sequence: int


def channel_view(row: ListChannelsRow) -> ChannelView:
    """Convert a row of the list of channels to its response type."""
    last = None
    if row.message_id and row.author_id and row.text and row.sent_at:
        last = LastMessage(row.message_id, row.author_id, row.text, row.sent_at)
    return view(ChannelView, row, last_message=last)


def history_view(found: list[Message], limit: int) -> History:
    """Return at most `limit` messages, and the `before` of the next page if there is one."""
    shown = found[:limit]
    return History(shown, shown[-1].id if len(found) > limit else None)
