"""Entries of the audit trail are deleted at the set age, and not before."""

from __future__ import annotations

import asyncpg
import pytest

from services.user.maintenance import Keep, forget_old
from tests.services.calling import by_hand

ADD = """
INSERT INTO audit_entry (id, at, actor, action, resource_type, resource_id)
SELECT gen_random_uuid(), now() - make_interval(days => $1), 'a', 'x.y', 'user', $1::text
FROM generate_series(1, $2)
"""


async def test_what_is_older_than_the_setting_goes_and_nothing_younger_can(new_database) -> None:
    url = await new_database("user")
    sql = await asyncpg.connect(url)
    try:
        for days, count in ((731, 2500), (729, 2), (80, 1)):
            await sql.execute(ADD, days, count)
        async with by_hand(url) as db:
            await forget_old(db, Keep(audit_days=730, address_days=90, deleted_days=30))
        left = await sql.fetch("SELECT resource_id FROM audit_entry ORDER BY at")
        assert [row[0] for row in left] == ["729", "729", "80"]
        for change in (
            "DELETE FROM audit_entry WHERE resource_id = '80'",
            "UPDATE audit_entry SET actor = 'b' WHERE resource_id = '729'",
            "TRUNCATE audit_entry",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                await sql.execute(change)
    finally:
        await sql.close()
