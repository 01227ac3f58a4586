from datetime import datetime
from decimal import Decimal
from uuid import UUID

import msgspec


class Staff(msgspec.Struct):
    id: UUID
    name: str
    email: str
    department_id: UUID | None
    age: int
    salary: Decimal
    version: int
    created_at: datetime
    updated_at: datetime
