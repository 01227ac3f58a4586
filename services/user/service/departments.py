"""Consume events of the department service: remove the employees of a deleted department."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec

from lib.db import Executor
from lib.events import Event, Handler
from services.user.store import staff


class DepartmentRemoved(msgspec.Struct, frozen=True):
    """Fields used from `department.removed`."""

    id: UUID


async def _removed(tx: Executor, event: Event) -> None:
    await staff.leave_department(tx, department_id=event.decode(DepartmentRemoved).id)


HANDLERS: Final[Mapping[str, Mapping[str, Handler]]] = {
    "departments": {"department.removed": _removed},
}
