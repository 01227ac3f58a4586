"""Jobs as values: what may be asked of one."""

from __future__ import annotations

from typing import Literal, TypeAlias

from lib.http.decode import Input

JobStatusName: TypeAlias = Literal[
    "PENDING", "IN_PROGRESS", "PAUSED", "DONE", "COMPLETED", "CANCELLED"
]


class JobChange(Input, frozen=True, kw_only=True):
    """The status that a job is to have."""

    status: JobStatusName
