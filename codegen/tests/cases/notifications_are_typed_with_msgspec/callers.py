# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""Calls of channels for type checkers. They must refuse each line with an ignore."""

from typing import assert_type

from notifications_are_typed_with_msgspec import queries
from notifications_are_typed_with_msgspec.executor import Executor
from notifications_are_typed_with_msgspec.notifications import ListenConnection


async def consume(db: ListenConnection) -> None:
    async with queries.listen_line_changed(db, size=10) as events:
        async for event in events:
            assert_type(event, queries.LineChanged)
            assert_type(event.sku, str | None)
    async with queries.listen_jobs(db) as jobs:
        assert_type(await anext(jobs), str)


async def send(db: Executor) -> None:
    await queries.notify_jobs(db, "1")
    await queries.notify_jobs(db, 1)  # type: ignore[arg-type]
    await queries.notify_line_changed(db, "x")  # type: ignore[arg-type]
