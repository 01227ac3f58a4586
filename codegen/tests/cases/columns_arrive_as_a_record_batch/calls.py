"""Call the generated functions on a real server, and check each record batch that they return."""

from datetime import UTC, datetime
from decimal import Decimal

import asyncpg
import pyarrow as pa
import pytest


async def run(db, queries):
    late, early = (
        datetime(2026, 1, 2, 3, 4, 5, 678901, UTC),
        datetime(1950, 1, 1, tzinfo=UTC),
    )
    await db.execute(
        "INSERT INTO sale VALUES (2, 1, 2.50, 7, 'sad', 'a', E'it''s\\n$1 ü', $1, '{a,\"\",b}'),"
        " (1, 1, -0.01, NULL, NULL, NULL, NULL, $2, NULL), (3, 2, 1, 0, 'happy', '', '', $1, '{}')",
        late, early,
    )  # fmt: skip
    batch = await queries.list_sales(db, since=early)
    assert batch.schema == queries.LIST_SALES_SCHEMA
    assert [field.name for field in batch.schema if not field.nullable] == [
        "id", "shop_id", "price", "sold_at",
    ]  # fmt: skip
    rows = await db.fetch("SELECT * FROM sale ORDER BY id")
    assert batch.to_pylist() == [dict(row) for row in rows]
    assert (
        await queries.list_sales(db, since=datetime(2027, 1, 1, tzinfo=UTC))
    ).num_rows == 0
    async with db.transaction():  # what the caller's transaction has written is read
        await db.execute("DELETE FROM sale WHERE id = 2")
        batch = await queries.list_sales(db, since=early)
        assert batch.column("id").to_pylist() == [1, 3]
        totals = await queries.sales_by_shop(db, sort="shop_id desc")
        assert totals.to_pydict() == {
            "shop_id": [2, 1], "total": [Decimal("1.00"), Decimal("-0.01")], "sales": [1, 1],
        }  # fmt: skip
        batch = await queries.sales_by_shop(db, sort="shop_id", shops=[2], noted=True)
        assert batch.num_rows == 0
    assert pa.decimal128(20, 2) == queries.SALES_BY_SHOP_SCHEMA.field("total").type
    await _stale(db, queries)


async def _stale(db, queries):
    """A schema that is no longer the database's: an error, and no wrong value."""
    now = datetime(1900, 1, 1, tzinfo=UTC)
    changes = {
        "ALTER COLUMN price DROP NOT NULL, ALTER price TYPE numeric(12, 2) USING NULL": "is NULL",
        "ALTER COLUMN price TYPE numeric(14, 4) USING 1.2345": "more digits than the schema",
        "ALTER COLUMN shop_id TYPE smallint": "has changed",
        "ALTER COLUMN sold_at TYPE timestamp": "has changed",
        "ALTER COLUMN tags TYPE varchar [], ALTER COLUMN note TYPE varchar": "has changed",
        "DROP CONSTRAINT sale_sold_at_check, ALTER sold_at TYPE timestamptz"
        " USING 'infinity'": "`sold_at`: Arrow cannot represent an infinite",
        "DROP CONSTRAINT sale_tags_check, ALTER tags TYPE text [] USING '{{a}, {b}}'": "several dim",
        "DROP CONSTRAINT sale_price_check, ALTER price TYPE numeric(12, 2)"
        " USING 'NaN'": "`price`: The string 'NaN'",
    }
    for change, said in changes.items():
        begun = db.transaction()
        await begun.start()
        await db.execute(f"ALTER TABLE sale {change}")
        with pytest.raises(ValueError, match=said):
            await queries.list_sales(db, since=now)
        await begun.rollback()
    await db.execute("ALTER TABLE sale DROP COLUMN note")
    with pytest.raises(asyncpg.UndefinedColumnError):
        await queries.list_sales(db, since=now)
