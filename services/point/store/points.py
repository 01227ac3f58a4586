from collections.abc import Sequence
from itertools import starmap
from typing import Final
from uuid import UUID

import msgspec

from lib.db import Executor
from services.point.store.models import PointEntry

GET_BALANCE: Final = "SELECT balance FROM point_balance WHERE user_id = $1"
LIST_BALANCES: Final = "SELECT user_id, balance FROM point_balance WHERE user_id = ANY($1::uuid[])"
LIST_ENTRIES_AFTER: Final = """SELECT id, user_id, amount, reason, balance_after, created_at FROM point_entry
WHERE user_id = $1 AND id > $2
ORDER BY id
LIMIT $3"""


class ListBalancesRow(msgspec.Struct):
    user_id: UUID
    balance: int


async def get_balance(db: Executor, *, user_id: UUID) -> int | None:
    return await db.fetchval(GET_BALANCE, user_id)


async def list_balances(db: Executor, *, user_ids: Sequence[UUID]) -> list[ListBalancesRow]:
    return list(starmap(ListBalancesRow, await db.fetch(LIST_BALANCES, user_ids)))


async def list_entries_after(
    db: Executor, *, user_id: UUID, after_id: UUID, page_size: int
) -> list[PointEntry]:
    return list(
        starmap(PointEntry, await db.fetch(LIST_ENTRIES_AFTER, user_id, after_id, page_size))
    )
