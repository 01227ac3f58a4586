"""The lifecycle of a job, and its effects on the order and the offer."""

from __future__ import annotations

from uuid import UUID

from lib.auth.guards import forbidden
from lib.db import Database, Executor
from lib.errors import not_found
from lib.resource.rules import check_version, conflict, or_not_found
from services.order.marketplace.model.caller import Caller
from services.order.marketplace.service import orders
from services.order.marketplace.service.domain_events import DOMAIN_EVENTS, JobMoved
from services.order.marketplace.service.steps import Actor, Verdict, verdict_on
from services.order.marketplace.store import jobs as store
from services.order.marketplace.store import reviews
from services.order.marketplace.store.models import Job, JobStatus, ServiceOrder

NOUN = "job"


async def get(db: Executor, job_id: UUID, caller: Caller) -> Job:
    """Return a job to its parties and the staff. Raises NOT_FOUND for everyone else."""
    job = or_not_found(await store.get_job(db, id=job_id), NOUN)
    if not caller.may_see_of(job.customer_id, job.provider_id):
        raise not_found(NOUN)
    return job


async def move(
    db: Database, job_id: UUID, wanted: JobStatus, caller: Caller, *, version: int | None
) -> Job:
    """Set the status of a job. Setting the current status has no effect.

    When a job is completed, its order is completed too. If the provider cancels a job, its order
    accepts offers again; otherwise the order is cancelled too.

    Raises:
        AppError: NOT_FOUND; FORBIDDEN if the caller may not set this status; PRECONDITION_FAILED;
            CONFLICT if the job cannot move to this status.
    """
    async with db.transaction() as tx:
        order, job = await _locked(tx, job_id, caller)
        actor = actor_of(job, caller)
        if actor is None:
            raise forbidden()
        check_version(version, job.version)
        verdict = verdict_on(job.status, wanted, actor)
        if verdict is Verdict.STAYS:
            return job
        if verdict is Verdict.FORBIDDEN:
            raise forbidden(
                f"the {actor} cannot set this status while the job is {job.status.lower()}"
            )
        if verdict is Verdict.IMPOSSIBLE:
            raise conflict(f"the job is {job.status.lower()}")
        return await bring(tx, order, job, wanted, actor)


async def bring(
    tx: Executor, order: ServiceOrder, job: Job, wanted: JobStatus, actor: Actor
) -> Job:
    """Set the status of a job; `actor` is the party or administrator who requests it.

    The job's order must be locked in `tx`.
    """
    await store.set_job_status(tx, id=job.id, status=wanted)
    moved = or_not_found(await store.get_job(tx, id=job.id), NOUN)
    await DOMAIN_EVENTS.publish(tx, JobMoved(moved, order, actor))
    return moved


async def remove(db: Database, job_id: UUID, caller: Caller, *, version: int | None) -> None:
    """Delete a job, for callers who manage jobs. Raises CONFLICT unless the job is cancelled."""
    async with db.transaction() as tx:
        _, job = await _locked(tx, job_id, caller)
        if not caller.manages:
            raise forbidden()
        check_version(version, job.version)
        if job.status is not JobStatus.CANCELLED:
            raise conflict("only cancelled jobs can be deleted")
        # Jobs that were taken back before reviews went with them may still have some.
        await reviews.remove_reviews_of_job(tx, job_id=job_id)
        await store.remove_job(tx, id=job_id)


def actor_of(job: Job, caller: Caller) -> Actor | None:
    """Return which party of a job the caller is, or None if the caller may not update the job."""
    if caller.is_one_of(job.customer_id):
        return Actor.CUSTOMER
    if caller.is_one_of(job.provider_id):
        return Actor.PROVIDER
    return Actor.ADMIN if caller.manages else None


async def _locked(tx: Executor, job_id: UUID, caller: Caller) -> tuple[ServiceOrder, Job]:
    seen = await get(tx, job_id, caller)
    order = await orders.lock(tx, seen.order_id)
    return order, or_not_found(await store.get_job(tx, id=job_id), NOUN)
