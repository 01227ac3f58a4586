"""Confirm finished jobs to which the customer does not object in time."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from lib.clock import Clock, utc_now
from lib.db import Database
from lib.log import get_logger
from services.order.marketplace.service import jobs, orders
from services.order.marketplace.service.steps import Actor
from services.order.marketplace.store import jobs as store
from services.order.marketplace.store.models import JobStatus

log = get_logger(__name__)

_BATCH: Final = 50


async def confirm_silent(db: Database, *, window: timedelta, clock: Clock = utc_now) -> int:
    """Complete some finished jobs to which the customer did not object within `window`.

    Return the number of completed jobs.

    Each job is completed in the customer's name and in its own transaction. Several processes can
    call this function at the same time.

    Raises:
        AppError: if the database is unavailable.
    """
    until = clock() - window
    confirmed = 0
    for silent in await store.list_silent_jobs(db, until=until, batch_size=_BATCH):
        async with db.transaction() as tx:
            order = await orders.lock(tx, silent.order_id)
            job = await store.get_job(tx, id=silent.id)
            # Another process, or the customer, may have settled the job first.
            if job is not None and job.status is JobStatus.DONE and job.updated_at <= until:
                await jobs.bring(tx, order, job, JobStatus.COMPLETED, Actor.CUSTOMER)
                confirmed += 1
    if confirmed:
        log.info("jobs_confirmed_by_silence", count=confirmed)
    return confirmed
