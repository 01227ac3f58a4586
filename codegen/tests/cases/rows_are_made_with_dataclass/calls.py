"""What the generated functions must do on a real server."""

from decimal import Decimal
from uuid import uuid4


async def run(db, queries):
    ada = uuid4()
    row = await queries.add_person(
        db, id=ada, name="Ada", mood="happy", tags=["a"], salary=Decimal("1.50")
    )
    assert (row.id, row.name, row.mood.name, row.tags) == (ada, "Ada", "HAPPY", ["a"])
    assert await queries.get_person(db, id=ada) == row
    [happy] = await queries.list_by_mood(db, mood="happy")
    assert happy.name == "Ada"
