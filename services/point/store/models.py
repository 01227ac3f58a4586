from datetime import datetime
from uuid import UUID

import msgspec


class PointEntry(msgspec.Struct):
    id: UUID
    user_id: UUID
    amount: int
    reason: str
    balance_after: int
    created_at: datetime
