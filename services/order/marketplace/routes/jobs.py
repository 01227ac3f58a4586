"""Routes of jobs. Accepting an offer creates a job, which the two parties update."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from lib.errors import Code
from lib.http import respond
from lib.http.app import Db
from lib.http.respond import Created, Done, Item
from lib.http.routes import CHANGE_ERRORS, Id, IfMatch, Routes, signed_in
from services.order.marketplace.model.jobs import JobChange
from services.order.marketplace.model.offers import AcceptedOffer
from services.order.marketplace.routes.access import MANAGERS, VERIFIED, Who
from services.order.marketplace.service import jobs as service
from services.order.marketplace.service.acceptance import accept
from services.order.marketplace.store.models import Job, JobStatus

route: Final = Routes("jobs")


@route(
    "POST /api/v1/jobs",
    "Create a job from an offer",
    *CHANGE_ERRORS,
    Code.PRECONDITION_REQUIRED,
    access=VERIFIED,
)
async def add_job(db: Db, wanted: AcceptedOffer, who: Who, version: IfMatch) -> Created[Job]:
    """Create a job. The request has the offer's `ETag` in `If-Match`, or its price and currency."""
    job = await accept(db, wanted.offer_id, who, version=version, agreed=wanted.agreed())
    return respond.created(job, f"jobs/{job.id}")


@route("GET /api/v1/jobs/{id}", "Get a job", Code.NOT_FOUND, access=signed_in())
async def get_job(request: web.Request, db: Db, job_id: Id, who: Who) -> Item[Job]:
    """Return a job with its `ETag`."""
    return respond.item(request, await service.get(db, job_id, who))


@route(
    "PATCH /api/v1/jobs/{id}",
    "Update the status of a job",
    *CHANGE_ERRORS,
    access=VERIFIED,
)
async def change_job(
    db: Db, job_id: Id, changes: JobChange, who: Who, version: IfMatch
) -> Item[Job]:
    """Return the job in its new status. Setting the current status has no effect."""
    status = JobStatus(changes.status)
    return respond.changed(await service.move(db, job_id, status, who, version=version))


@route("DELETE /api/v1/jobs/{id}", "Delete a cancelled job", *CHANGE_ERRORS, access=MANAGERS)
async def remove_job(db: Db, job_id: Id, who: Who, version: IfMatch) -> Done:
    """Delete a job."""
    await service.remove(db, job_id, who, version=version)
    return respond.no_content()
