"""Cancel the orders, offers and jobs of a deactivated or deleted account.

Jobs in progress are cancelled too, because one of their parties has left. Objects that are newer
than the event stay: the event may be late or repeated, and the account may be active again. If the
account was deleted, its personal data and addresses are erased; jobs and the stars of reviews stay.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from lib.db import Executor
from lib.events import Event, Handler
from lib.store import idempotency
from services.order.marketplace.service import jobs, orders
from services.order.marketplace.service.steps import Actor, OrderStep
from services.order.marketplace.store import jobs as job_store
from services.order.marketplace.store import locations, offers, reviews, service_orders
from services.order.marketplace.store.models import JobStatus

_PROVIDER: Final = "PROVIDER"
_ERASED: Final = "(erased)"


class UserChanged(msgspec.Struct, frozen=True):
    """Fields used from the events of the topic `users`."""

    id: UUID
    role: str = ""


async def provider_left(tx: Executor, person: UUID, *, until: datetime) -> None:
    """Withdraw a provider's offers, cancel the provider's jobs and delete the workplace.

    The orders of those jobs accept offers again.
    """
    locked = await service_orders.lock_service_orders_of(tx, person_id=person)
    await offers.withdraw_offers_of(tx, provider_id=person, order_ids=locked, until=until)
    for job in await job_store.list_unfinished_jobs_of_provider(
        tx, provider_id=person, order_ids=locked, until=until
    ):
        order = await orders.lock(tx, job.order_id)
        await jobs.bring(tx, order, job, JobStatus.CANCELLED, Actor.PROVIDER)
    await locations.remove_location(tx, provider_id=person, until=until)


async def customer_left(tx: Executor, person: UUID, *, until: datetime) -> None:
    """Cancel a customer's open orders and unfinished jobs."""
    locked = await service_orders.lock_service_orders_of(tx, person_id=person)
    open_orders = await service_orders.list_open_orders_of(
        tx, customer_id=person, order_ids=locked, until=until
    )
    await orders.take(tx, open_orders, OrderStep.CANCEL)
    for job in await job_store.list_unfinished_jobs_of_customer(
        tx, customer_id=person, order_ids=locked, until=until
    ):
        order = await orders.lock(tx, job.order_id)
        await jobs.bring(tx, order, job, JobStatus.CANCELLED, Actor.CUSTOMER)


async def _gone(tx: Executor, event: Event) -> None:
    payload = event.decode(UserChanged)
    await provider_left(tx, payload.id, until=event.created_at)
    await customer_left(tx, payload.id, until=event.created_at)


async def _erased(tx: Executor, event: Event) -> None:
    """Cancel a deleted account's open work; erase its addresses, comments and stored responses."""
    await _gone(tx, event)
    person = event.decode(UserChanged).id
    await service_orders.erase_service_orders(tx, customer_id=person, description=_ERASED)
    await reviews.erase_comments(tx, author_id=person)
    await idempotency.erase_answers(tx, principal=str(person))


async def _has_another_role(tx: Executor, event: Event) -> None:
    payload = event.decode(UserChanged)
    if payload.role != _PROVIDER:
        await provider_left(tx, payload.id, until=event.created_at)


HANDLERS: Final[Mapping[str, Mapping[str, Handler]]] = {
    "users": {
        "user.deleted": _erased,
        "user.erased": _erased,
        "user.deactivated": _gone,
        "user.role_changed": _has_another_role,
    }
}
