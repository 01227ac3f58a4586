"""Rules of reviews: a party of a completed job writes one review and edits only this review."""

from __future__ import annotations

from uuid import UUID

from msgspec import UNSET

from lib.auth.guards import forbidden
from lib.db import Database, Executor
from lib.errors import not_found
from lib.ids import new_id
from lib.resource.input import is_empty
from lib.resource.rules import change_errors, check_version, conflict, or_not_found
from services.order.marketplace.model.caller import Caller
from services.order.marketplace.model.reviews import NewReview, ReviewChange, exact
from services.order.marketplace.service import jobs, orders
from services.order.marketplace.service.domain_events import JobMoved
from services.order.marketplace.service.steps import Actor
from services.order.marketplace.store import jobs as job_store
from services.order.marketplace.store import reviews as store
from services.order.marketplace.store.models import JobStatus, Review, ReviewSide

_NOUN = "review"
_SIDES = {Actor.CUSTOMER: ReviewSide.CUSTOMER, Actor.PROVIDER: ReviewSide.PROVIDER}


async def get(db: Executor, review_id: UUID, caller: Caller) -> Review:
    """Return a review or raise NOT_FOUND.

    All callers may see customers' reviews of providers. Only the two parties and the staff may see
    providers' reviews of customers.
    """
    review = or_not_found(await store.get_review(db, id=review_id), _NOUN)
    if review.side is ReviewSide.CUSTOMER:
        return review
    if not (caller.moderates or caller.may_see_of(review.customer_id, review.provider_id)):
        raise not_found(_NOUN)
    return review


async def add(db: Database, new: NewReview, caller: Caller) -> Review:
    """Create the caller's review of the other party.

    Raises:
        AppError: NOT_FOUND for the job; FORBIDDEN unless the caller is a party of the job; CONFLICT
            if the job is not completed, or if the caller has already reviewed it.
    """
    job = await jobs.get(db, new.job_id, caller)
    side = _SIDES.get(jobs.actor_of(job, caller) or Actor.ADMIN)
    if side is None:
        raise forbidden()
    review_id = new_id()
    with change_errors(taken="you have already reviewed this job", parent=jobs.NOUN):
        async with db.transaction() as tx:
            # Cancelling the job takes this lock too, so no review is added after the cancellation.
            await orders.lock(tx, job.order_id)
            job = or_not_found(await job_store.get_job(tx, id=job.id), jobs.NOUN)
            if job.status is not JobStatus.COMPLETED:
                raise conflict("only completed jobs can be reviewed")
            await store.add_review(
                tx,
                id=review_id,
                job_id=job.id,
                side=side,
                customer_id=job.customer_id,
                provider_id=job.provider_id,
                rating=exact(new.rating),
                comment=new.comment,
            )
            return or_not_found(await store.get_review(tx, id=review_id), _NOUN)


async def change(
    db: Database,
    review_id: UUID,
    changes: ReviewChange,
    caller: Caller,
    *,
    version: int | None,
) -> Review:
    """Apply a partial update. If `version` is not None, it must be the current version.

    Raises:
        AppError: NOT_FOUND; FORBIDDEN unless the caller is the author; PRECONDITION_FAILED.
    """
    async with db.transaction() as tx:
        before = await _locked(tx, review_id, caller)
        if not caller.is_one_of(author_of(before)):
            raise forbidden()
        check_version(version, before.version)
        if is_empty(changes):
            return before
        await store.change_review(
            tx,
            id=review_id,
            rating=UNSET if changes.rating is UNSET else exact(changes.rating),
            comment=changes.comment,
        )
        return or_not_found(await store.get_review(tx, id=review_id), _NOUN)


async def remove(db: Database, review_id: UUID, caller: Caller, *, version: int | None) -> None:
    """Delete a review if `version` is current. Only its author or a moderator may delete it."""
    async with db.transaction() as tx:
        before = await _locked(tx, review_id, caller)
        if not (caller.moderates or caller.is_one_of(author_of(before))):
            raise forbidden()
        check_version(version, before.version)
        await store.remove_review(tx, id=review_id)


async def follow_job(tx: Executor, fact: JobMoved) -> None:
    """Delete the reviews of a job that was cancelled after its completion."""
    if fact.job.status is JobStatus.CANCELLED:
        await store.remove_reviews_of_job(tx, job_id=fact.job.id)


def author_of(review: Review) -> UUID:
    """Return the author of a review."""
    return review.customer_id if review.side is ReviewSide.CUSTOMER else review.provider_id


async def _locked(tx: Executor, review_id: UUID, caller: Caller) -> Review:
    await get(tx, review_id, caller)
    return or_not_found(await store.lock_review(tx, id=review_id), _NOUN)
