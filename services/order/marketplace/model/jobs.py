"""Request types for jobs."""

from __future__ import annotations

from lib.resource.input import Input
from services.order.marketplace.store.models import JobStatus


class JobChange(Input, frozen=True, kw_only=True):
    """The new status of a job."""

    status: JobStatus
