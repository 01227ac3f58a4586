"""What the HTTP routes take and give."""

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
    """Which of one's channels; those with the newest messages come first."""

    kind: ChannelKind | None = None
    subject_id: Annotated[UUID | None, Meta(description="the service order or the job")] = None


class HistoryQuery(Query, frozen=True, kw_only=True):
    """Which part of a channel's messages, newest first."""

    before: Annotated[UUID | None, Meta(description="only messages older than this one")] = None
    limit: Annotated[int, Meta(ge=1, le=100, description="messages at most")] = 50


class NewMessage(Input, frozen=True, kw_only=True):
    """A message to send; with a `client_id` that was used before it is the one sent then."""

    client_id: ClientId
    text: Text


class ReadUpTo(Input, frozen=True, kw_only=True):
    """Everything up to this message has been read."""

    message_id: UUID


class LastMessage(msgspec.Struct, frozen=True):
    """The newest message of a channel, as its list shows it."""

    id: UUID
    author_id: UUID
    text: str
    created_at: datetime


class ChannelView(msgspec.Struct, frozen=True, kw_only=True):
    """A channel as one of its members sees it.

    `unread` counts messages of the other one after `read_sequence`, up to 100;
    `other_read_sequence` is how far the other one has read. Some days after `ended_at` (of its job
    or order) it can only be read. While it is `blocked` by either member nobody can write.
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
    """A part of a channel's messages; `next_before` asks for the one before it, if there is one."""

    messages: list[Message]
    next_before: UUID | None


class ReadMark(msgspec.Struct, frozen=True):
    """A message up to which everything has been read."""

    channel_id: UUID
    message_id: UUID
    sequence: int


def channel_view(row: ListChannelsRow) -> ChannelView:
    """Return a row as callers see it."""
    last = None
    if row.message_id and row.author_id and row.text and row.sent_at:
        last = LastMessage(row.message_id, row.author_id, row.text, row.sent_at)
    return view(ChannelView, row, last_message=last)


def history_view(found: list[Message], limit: int) -> History:
    """Return at most `limit` of what was found, and where the rest begins."""
    shown = found[:limit]
    return History(shown, shown[-1].id if len(found) > limit else None)
