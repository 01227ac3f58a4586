"""What the generated functions must do on a real server."""

import sys
from datetime import date
from decimal import Decimal


async def run(db, queries):
    models = sys.modules[queries.__package__ + ".models"]
    day = date(2024, 1, 1)
    batch = [
        queries.AddReadingsParams("A", day, Decimal("1.5"), models.Level.HIGH),
        queries.AddReadingsParams("B", day, None, None),
    ]
    stored = await queries.add_readings(db, batch)
    assert [(row.sensor, row.value) for row in stored] == [("a", Decimal("1.5")), ("b", None)]
    again = [queries.AddReadingsParams("a", day, Decimal(2), None)]
    assert [row.value for row in await queries.add_readings(db, again)] == [Decimal(2)]
    assert await queries.add_readings(db, []) == []
    assert await queries.add_day(db, ["x", "y", "z"]) == 3
