# Generated from sql/shared/inbox.sql by `aiosqlc generate -f sql/shared/sqlc.yaml`. Do not edit.
"""The queries of inbox.sql."""

from datetime import datetime
from typing import Final
from uuid import UUID

from lib.db import Executor

RECORD_HANDLED: Final = """\
INSERT INTO inbox (consumer, event_id) VALUES ($1, $2)
ON CONFLICT (consumer, event_id) DO NOTHING
"""


async def record_handled(db: Executor, *, consumer: str, event_id: UUID) -> int:
    """Events that arrived: each is recorded in the transaction of its effect.
    One row where the event is new to the consumer, none where it was handled before.
    """
    status = await db.execute(RECORD_HANDLED, consumer, event_id)
    return int(status.rpartition(" ")[2])


FORGET_HANDLED: Final = "DELETE FROM inbox WHERE handled_at < $1"


async def forget_handled(db: Executor, *, before: datetime) -> int:
    """Only what is too old to be delivered again."""
    status = await db.execute(FORGET_HANDLED, before)
    return int(status.rpartition(" ")[2])
