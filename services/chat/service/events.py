"""What others tell: an offer or a job gives its two people a channel, who is gone is erased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec

from lib.db import Executor
from lib.events import Event, Handler
from services.chat.service.channels import open_channel
from services.chat.store import messages
from services.chat.store.models import ChannelKind

_ERASED: Final = "(erased)"


class OfferMade(msgspec.Struct, frozen=True):
    """A provider has offered to carry out a service order."""

    order_id: UUID
    customer_id: UUID
    provider_id: UUID


class JobCreated(msgspec.Struct, frozen=True):
    """A customer has accepted an offer."""

    job_id: UUID
    customer_id: UUID
    provider_id: UUID


class UserDeleted(msgspec.Struct, frozen=True):
    """Somebody has deleted their account, or was erased after that."""

    id: UUID


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


async def _erased(tx: Executor, event: Event) -> None:
    author = event.decode(UserDeleted).id
    await messages.erase_messages(tx, author_id=author, text=_ERASED)
    await messages.erase_sent(tx, author_id=author)


HANDLERS: Final[Mapping[str, Mapping[str, Handler]]] = {
    "offers": {"offer.made": _offer_made},
    "jobs": {"job.created": _job_created},
    "users": {"user.deleted": _erased, "user.erased": _erased},
}
