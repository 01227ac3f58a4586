"""What the generated functions must do on a real server."""

from datetime import date


async def run(db, queries):
    day = date(2026, 11, 22)
    item = queries.AddThingParams(
        self_=1, id_=2, secret__="s", json="{}", date=day, due=None, other=3
    )
    [thing] = await queries.add_thing(db, [item])
    assert (thing.self_, thing.id_, thing.secret__, thing.date, thing.due) == (1, 2, "s", day, None)
    assert (thing.part.size_, thing.part.self_) == (1, "a")
    [row] = await queries.list_things(db)
    assert (row.id_, row.n__, row.date, row.n1_) == (2, "s", day, 3)
