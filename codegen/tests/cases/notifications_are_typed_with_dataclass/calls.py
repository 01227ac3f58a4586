"""Send notifications by triggers, functions, queries and generated functions, and receive them."""

import asyncio
import sys
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest


async def run(db, queries):
    models = sys.modules[queries.__package__ + ".models"]
    notifications = sys.modules[queries.__package__ + ".notifications"]
    placed = datetime(2026, 5, 4, 3, 2, 1, 500000, tzinfo=UTC)
    row = queries.OrderRowPayload(
        id=1,
        status=models.OrderStatus.PAID,
        total=Decimal("19.50"),
        note=None,
        weight=None,
        raw=None,
        placed=placed,
        tags=[],
    )
    async with (
        queries.listen_order_row(db) as rows,
        queries.listen_jobs(db) as jobs,
        queries.listen_jobs(db) as others,
        queries.listen_line_changed(db) as lines,
        queries.listen_nested(db) as nested,
    ):
        async with db.transaction():
            await queries.add_order(
                db, id=1, status=row.status, total=row.total, placed=placed
            )
            await db.execute(
                """INSERT INTO "Line" VALUES (1, 1, 'a "quoted" \u00e4'), (2, 1, 'quiet')"""
            )
        assert await anext(rows) == row
        assert shown(await anext(lines)) == ("INSERT", 1, 1, 'a "quoted" \u00e4')
        await db.execute(
            "UPDATE orders SET note = 'x', raw = '\\x00ff', weight = 'NaN'"
        )
        changed = await anext(rows)
        assert (changed.note, changed.raw, str(changed.weight)) == (
            "x",
            b"\x00\xff",
            "nan",
        )
        await db.execute('DELETE FROM "Line" WHERE id = 2')
        assert shown(await anext(lines)) == ("DELETE", 2, 1, None)
        await queries.send_lines(db, order_id=1)
        assert shown(await anext(lines)) == ("sent", 1, 1, 'a "quoted" \u00e4')

        await db.execute("SELECT announce(7)")
        await queries.notify_jobs(db, "")
        await queries.notify_jobs(db, "\u00e4" * 3999 + "x")
        for events in (jobs, others):
            assert await anext(events) == "7"
            assert await anext(events) == ""
            assert len((await anext(events)).encode()) == 7999
        with pytest.raises(notifications.PayloadError, match=r"'jobs'.* 8000 bytes"):
            await queries.notify_jobs(db, "x" * 8000)

        await queries.notify_order_row(db, changed)
        assert repr(await anext(rows)) == repr(changed)
        sent = queries.Nested(
            id=2**60,
            raw=b"\x01",
            weight=float("-inf"),
            status=models.OrderStatus.NEW,
            day=date(2026, 1, 2),
            lines=[queries.NestedLine(id=1, order_id=2, sku="'\\\u2028")],
        )
        await queries.notify_nested(db, sent)
        assert await anext(nested) == sent

        await rolled_back(db, queries, rows, row)
        await malformed(db, notifications, rows)
    with pytest.raises(notifications.NotificationError, match="async with"):
        await anext(rows)
    assert await db.fetchval("SELECT count(*) FROM pg_listening_channels()") == 0


async def rolled_back(db, queries, rows, row):
    transaction = db.transaction()
    await transaction.start()
    await queries.notify_order_row(db, row)
    await transaction.rollback()
    async with db.transaction():
        await queries.notify_order_row(db, row)
    assert await anext(rows) == row
    await db.execute("SELECT 1")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(anext(rows), 0)


async def malformed(db, notifications, rows):
    for payload in (None, "", "null", "{}", "[]", '{"id": "x"}', "{"):
        await db.execute("SELECT pg_notify('order_row', $1)", payload)
        with pytest.raises(notifications.PayloadError, match="'order_row'") as raised:
            await anext(rows)
        assert raised.value.channel == "order_row"


def shown(line):
    return line.op, line.id, line.order, line.sku
