from decimal import Decimal
from itertools import starmap
from typing import Any, Final
from uuid import UUID

import msgspec

from lib.db import Executor
from services.user.store.models import Staff

GET_STAFF: Final = """SELECT * FROM staff WHERE id = $1"""
LIST_STAFF: Final = """SELECT * FROM staff
WHERE ($1::uuid IS NULL OR department_id = $1::uuid)
    AND (
        $2::text IS NULL
        OR name ILIKE $2::text
        OR email ILIKE $2::text
    )
ORDER BY
    CASE WHEN NOT $3::boolean THEN CASE $4::text WHEN 'name' THEN name WHEN 'email' THEN email END END,
    CASE WHEN NOT $3::boolean THEN CASE $4::text WHEN 'age' THEN age WHEN 'salary' THEN salary END END,
    CASE WHEN NOT $3::boolean THEN CASE $4::text WHEN 'created_at' THEN created_at END END,
    CASE WHEN $3::boolean THEN CASE $4::text WHEN 'name' THEN name WHEN 'email' THEN email END END DESC,
    CASE WHEN $3::boolean THEN CASE $4::text WHEN 'age' THEN age WHEN 'salary' THEN salary END END DESC,
    CASE WHEN $3::boolean THEN CASE $4::text WHEN 'created_at' THEN created_at END END DESC,
    id
LIMIT $5 OFFSET $6"""
COUNT_STAFF: Final = """SELECT count(*) FROM staff
WHERE ($1::uuid IS NULL OR department_id = $1::uuid)
    AND (
        $2::text IS NULL
        OR name ILIKE $2::text
        OR email ILIKE $2::text
    )"""
STAFF_STATISTICS: Final = """SELECT
    max(age) AS high_age,
    min(age) AS low_age,
    round(avg(age), 2) AS avg_age,
    max(salary) AS high_salary,
    min(salary) AS low_salary,
    round(avg(salary), 2) AS avg_salary,
    count(*) AS count
FROM staff"""


class StaffStatisticsRow(msgspec.Struct):
    high_age: int | None
    low_age: int | None
    avg_age: Decimal | None
    high_salary: Decimal | None
    low_salary: Decimal | None
    avg_salary: Decimal | None
    count: int


async def get_staff(db: Executor, *, id: UUID) -> Staff | None:
    row = await db.fetchrow(GET_STAFF, id)
    return None if row is None else Staff(*row)


async def list_staff(
    db: Executor,
    *,
    department_id: UUID | None,
    search: str | None,
    descending: bool,
    order_by: str,
    page_size: int,
    skip: int,
) -> list[Staff]:
    rows = await db.fetch(LIST_STAFF, department_id, search, descending, order_by, page_size, skip)
    return list(starmap(Staff, rows))


async def count_staff(db: Executor, *, department_id: UUID | None, search: str | None) -> int:
    value: Any = await db.fetchval(COUNT_STAFF, department_id, search)
    return int(value)


async def staff_statistics(db: Executor) -> StaffStatisticsRow:
    row = await db.fetchrow(STAFF_STATISTICS)
    assert row is not None
    return StaffStatisticsRow(*row)
