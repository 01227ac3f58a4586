"""What the generated functions must do on a real server."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID, uuid4


async def run(db, queries):
    models = __import__("sys").modules[queries.__package__ + ".models"]
    ada = uuid4()
    row = await queries.add_person(
        db, id=ada, name="Ada", mood=models.Mood.NOT_SO_HAPPY, tags=["a"], salary=Decimal("1.50")
    )
    assert row == models.Person(
        ada, "Ada", models.Mood.NOT_SO_HAPPY, ["a"], Decimal("1.50"), row.joined
    )
    assert isinstance(row.joined, datetime)
    assert isinstance(row.id, UUID)
    assert row.mood is models.Mood.NOT_SO_HAPPY
    bob = uuid4()
    await queries.add_person(db, id=bob, name="Bob", mood=None, tags=[], salary=None)
    assert await queries.get_person(db, id=ada) == row
    assert await queries.get_person(db, id=uuid4()) is None
    assert [person.name for person in await queries.list_people(db)] == ["Ada", "Bob"]
    assert await queries.list_names(db, ids=[bob]) == ["Bob"]
    [happy] = await queries.list_by_mood(db, mood=models.Mood.NOT_SO_HAPPY)
    assert (happy.mood, happy.name) == (models.Mood.NOT_SO_HAPPY, "Ada")
    assert await queries.count_people(db) == 2
    assert await queries.rename_person(db, id=ada, name="Ada L.") == 1
    assert await queries.rename_person(db, id=uuid4(), name="x") == 0
    assert await queries.remove_person(db, id=ada) is None
    assert await queries.count_people(db) == 1
    await db.execute("INSERT INTO size VALUES (1, 2, 3)")
    [size] = await queries.list_sizes(db)
    assert (size.id, size.width, size.width_2) == (1, 2, 3)
