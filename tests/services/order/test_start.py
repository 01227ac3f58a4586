"""The order service starts on an empty database and reports that it is ready."""

from __future__ import annotations


async def test_it_is_ready_when_its_database_is(client) -> None:
    async with client.get("/readyz") as answer:
        assert answer.status == 200
