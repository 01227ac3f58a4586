"""What the generated functions must do on a real server."""

import importlib
import sys
import warnings
from datetime import date


async def run(db, queries):
    day = date(2026, 11, 22)
    item = queries.AddThingParams(
        self=1, id_=2, secret__="s", json_="{}", date=day, due=None, other=3
    )
    [thing] = await queries.add_thing(db, [item])
    assert (thing.self, thing.id_, thing.secret__, thing.date, thing.due) == (
        1,
        2,
        "s",
        day,
        None,
    )
    assert (thing.part.size_, thing.part.self, thing.model_config_) == (1, "a", None)
    [row] = await queries.list_things(db)
    assert (thing.model_dump_, thing.model_validated_at_) == (None, None)
    # Pydantic warns about names like those of its methods.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        importlib.reload(sys.modules[type(thing).__module__])
    assert (row.id_, row.n__, row.date, row.n1_) == (2, "s", day, 3)
