"""Handle events: offers and jobs open and end channels; inactive users cannot write.

The data of a deleted account is erased as well. A deactivated account keeps its messages, because
it may become active again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from uuid import UUID

import msgspec

from lib.db import Executor
from lib.events import Event, Handler
from services.chat.rooms.wire import Ended, Gone, Said
from services.chat.service.channels import open_channel
from services.chat.store import channels, departed, ended_sessions, messages
from services.chat.store.models import ChannelKind

_ERASED: Final = "(erased)"


class OfferMade(msgspec.Struct, frozen=True):
    """A provider has made an offer on a service order."""

    order_id: UUID
    customer_id: UUID
    provider_id: UUID


class JobCreated(msgspec.Struct, frozen=True):
    """A customer has accepted an offer."""

    job_id: UUID
    customer_id: UUID
    provider_id: UUID


class JobEnded(msgspec.Struct, frozen=True):
    """A job was completed or cancelled."""

    job_id: UUID
    order_id: UUID


class ServiceOrderEnded(msgspec.Struct, frozen=True):
    """A service order was cancelled or has expired."""

    order_id: UUID


class UserChanged(msgspec.Struct, frozen=True):
    """An account was deactivated, activated, deleted or erased."""

    id: UUID


class SessionsEnded(msgspec.Struct, frozen=True):
    """The payload of an event about sessions that ended before they expired."""

    id: UUID
    sessions: tuple[UUID, ...]


async def _offer_made(tx: Executor, event: Event) -> None:
    said = event.decode(OfferMade)
    await open_channel(
        tx,
        ChannelKind.ORDER,
        said.order_id,
        customer_id=said.customer_id,
        provider_id=said.provider_id,
    )


async def _job_created(tx: Executor, event: Event) -> None:
    said = event.decode(JobCreated)
    await open_channel(
        tx,
        ChannelKind.JOB,
        said.job_id,
        customer_id=said.customer_id,
        provider_id=said.provider_id,
    )


async def _job_completed(tx: Executor, event: Event) -> None:
    ended = event.decode(JobEnded)
    await channels.end_channels(
        tx, kind=ChannelKind.JOB, subject_id=ended.job_id, ended_at=event.created_at
    )
    await channels.end_channels(
        tx, kind=ChannelKind.ORDER, subject_id=ended.order_id, ended_at=event.created_at
    )


async def _job_cancelled(tx: Executor, event: Event) -> None:
    # Its order may take offers again: that has an event of its own where it does not.
    ended = event.decode(JobEnded)
    await channels.end_channels(
        tx, kind=ChannelKind.JOB, subject_id=ended.job_id, ended_at=event.created_at
    )


async def _order_ended(tx: Executor, event: Event) -> None:
    ended = event.decode(ServiceOrderEnded)
    await channels.end_channels(
        tx, kind=ChannelKind.ORDER, subject_id=ended.order_id, ended_at=event.created_at
    )


async def _departed(tx: Executor, event: Event) -> None:
    user_id = event.decode(UserChanged).id
    await departed.depart(tx, user_id=user_id, departed_at=event.created_at)


async def _returned(tx: Executor, event: Event) -> None:
    user_id = event.decode(UserChanged).id
    await departed.return_(tx, user_id=user_id, until=event.created_at)


async def _erased(tx: Executor, event: Event) -> None:
    await _departed(tx, event)
    author = event.decode(UserChanged).id
    await messages.erase_messages(tx, author_id=author, text=_ERASED)
    await messages.erase_sent(tx, author_id=author)


async def _sessions_ended(tx: Executor, event: Event) -> None:
    ended = event.decode(SessionsEnded).sessions
    await ended_sessions.end_sessions(tx, ids=ended, ended_at=event.created_at)


HANDLERS: Final[Mapping[str, Mapping[str, Handler]]] = {
    "offers": {"offer.made": _offer_made},
    "jobs": {
        "job.created": _job_created,
        "job.completed": _job_completed,
        "job.cancelled": _job_cancelled,
    },
    "service-orders": {
        "service_order.cancelled": _order_ended,
        "service_order.expired": _order_ended,
    },
    "users": {
        "user.deactivated": _departed,
        "user.activated": _returned,
        "user.deleted": _erased,
        "user.erased": _erased,
        "user.sessions_ended": _sessions_ended,
    },
}
_DEPARTURES: Final = frozenset({"user.deactivated", "user.deleted", "user.erased"})


def announcing(announce: Callable[[Said], None]) -> Mapping[str, Mapping[str, Handler]]:
    """Return `HANDLERS`, extended to report ended accounts and sessions to all replicas."""

    def announced(handler: Handler, news: Callable[[Event], Said]) -> Handler:
        async def handle(tx: Executor, event: Event) -> None:
            await handler(tx, event)
            announce(news(event))

        return handle

    users = dict(HANDLERS["users"])
    for kind in _DEPARTURES:
        users[kind] = announced(users[kind], _gone)
    users["user.sessions_ended"] = announced(users["user.sessions_ended"], _ended)
    return {**HANDLERS, "users": users}


def _gone(event: Event) -> Said:
    return Gone(event.decode(UserChanged).id)


def _ended(event: Event) -> Said:
    ended = event.decode(SessionsEnded)
    return Ended(ended.id, ended.sessions)
