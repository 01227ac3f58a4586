"""Jobs over HTTP: begun by accepting an offer, moved by their two sides."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from lib.errors import Code
from lib.http import decode, respond
from lib.http.app import DATABASE
from lib.http.etag import if_match
from lib.http.openapi import operation
from services.order.marketplace.model.jobs import JobChange
from services.order.marketplace.model.offers import AcceptedOffer
from services.order.marketplace.routes.access import caller, managers, signed_in, verified
from services.order.marketplace.routes.describe import CHANGE_ERRORS, ID, SEEN, VERSION
from services.order.marketplace.service import jobs as service
from services.order.marketplace.service.acceptance import accept
from services.order.marketplace.store.models import Job, JobStatus

_TAGS: Final = ("jobs",)


@verified
@operation(
    summary="Begin a job by accepting an offer",
    tags=_TAGS,
    body=AcceptedOffer,
    returns=Job,
    status=201,
    errors=(Code.NOT_FOUND, Code.CONFLICT),
)
async def add_job(request: web.Request) -> web.Response:
    """The new job, with where it is; the same as accepting the offer under its own address."""
    wanted = await decode.body(request, AcceptedOffer)
    job = await accept(request.app[DATABASE], wanted.offer_id, caller())
    return respond.created(job, location=f"jobs/{job.id}", version=job.version)


@signed_in
@operation(
    summary="Get a job",
    tags=_TAGS,
    path=ID,
    headers=SEEN,
    returns=Job,
    errors=(Code.NOT_FOUND,),
)
async def get_job(request: web.Request) -> web.Response:
    """One job with its `ETag`."""
    found = await service.get(request.app[DATABASE], decode.path_uuid(request), caller())
    return respond.item(request, found, version=found.version)


@verified
@operation(
    summary="Start, pause, resume, complete or cancel a job",
    tags=_TAGS,
    path=ID,
    headers=VERSION,
    body=JobChange,
    returns=Job,
    errors=CHANGE_ERRORS,
)
async def change_job(request: web.Request) -> web.Response:
    """The job in its new status; a status it has already changes nothing."""
    job_id = decode.path_uuid(request)
    changes = await decode.body(request, JobChange)
    moved = await service.move(
        request.app[DATABASE],
        job_id,
        JobStatus(changes.status),
        caller(),
        version=if_match(request),
    )
    return respond.changed(moved, version=moved.version)


@managers
@operation(
    summary="Remove a cancelled job",
    tags=_TAGS,
    path=ID,
    headers=VERSION,
    status=204,
    errors=CHANGE_ERRORS,
)
async def remove_job(request: web.Request) -> web.Response:
    """Nothing, when it is done."""
    job_id = decode.path_uuid(request)
    await service.remove(request.app[DATABASE], job_id, caller(), version=if_match(request))
    return respond.no_content()


ROUTES: Final = (
    web.post("/api/v1/jobs", add_job),
    web.get("/api/v1/jobs/{id}", get_job),
    web.patch("/api/v1/jobs/{id}", change_job),
    web.delete("/api/v1/jobs/{id}", remove_job),
)
