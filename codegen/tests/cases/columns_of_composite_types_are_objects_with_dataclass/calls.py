"""A composite value is an object of its type's class, whose fields may be None."""

import sys
from typing import Any


def of(cls: Any, *values: Any) -> Any:
    """Make an object of any model."""
    return cls(**dict(zip(cls.__annotations__, values, strict=True)))


async def run(db: Any, queries: Any) -> None:
    models = sys.modules[f"{queries.__package__}.models"]
    await db.execute("INSERT INTO person VALUES (1, 'Ann', NULL)")
    here, there = of(models.Address, "a", None), of(models.Address, None, 7)
    await queries.add_house(db, id=1, home=here, work=None, owner=1)
    await queries.add_house(db, id=2, home=there, work=here, owner=None)
    rows = await queries.list_houses(db)
    assert [(row.home, row.work) for row in rows] == [(here, None), (there, here)]
    ann = of(models.Person, 1, "Ann", None)
    # The row of an outer join promises nothing about its fields.
    value = of(models.PersonValue, 1, "Ann", None)
    owners = await queries.list_owners(db)
    assert [(row.owner, row.person) for row in owners] == [(value, ann), (None, None)]
    one, other = await queries.list_rows(db)
    assert (one.whole.home, one.whole.owner, other.whole.work) == (here, 1, here)
    assert (one.made, other.made) == (
        of(models.Address, "made", 1),
        of(models.Address, "made", 2),
    )
