"""Rows become lists of classes: joined, filtered, distinct, through WITH, and of composite types."""

import sys
from typing import Any


async def run(db: Any, queries: Any) -> None:
    models = sys.modules[f"{queries.__package__}.models"]
    size, label = models.Size(width=1, height=2), models.BoxLabel(text="a")
    await queries.add_box(db, id=1, size=size, extent=size, label=label)
    await queries.add_box(db, id=2, size=None, extent=size, label=label)
    await queries.add_thing(db, id=1, box_id=1, name="pen", weight=None)
    await queries.add_thing(db, id=2, box_id=1, name="ball", weight=5)
    pen = models.Thing(id=1, box_id=1, name="pen", weight=None)
    ball = models.Thing(id=2, box_id=1, name="ball", weight=5)

    [filled] = await queries.list_filled(db)
    assert (filled.id, filled.things) == (1, [pen, ball])
    _, alone = await queries.list_left_joined(db)
    assert alone.things == [None]
    one, two = await queries.list_filtered(db)
    assert (one.things, one.heavy) == ([ball, pen], [ball])
    assert (two.things, two.heavy) == (None, [])
    one, two = await queries.list_of_with(db)
    assert (one.things, two.things) == ([pen, ball], None)
    assert [row.things for row in await queries.list_of_sub_select(db)] == [
        [pen, ball],
        [],
    ]

    boxes = await queries.get_boxes(db)
    assert boxes == [
        models.Box(id=1, size=size, extent=size, label=label),
        models.Box(id=2, size=None, extent=size, label=label),
    ]
    sizes = await queries.get_sizes(db)
    assert (sizes.extents, sizes.sizes, sizes.known) == (
        [size, size],
        [size, None],
        [size],
    )
    assert [(made.width, made.height) for made in sizes.made] == [(1, 2), (2, 3)]
    pairs = await queries.get_pairs(db)
    assert pairs.pairs == [(1, "pen", None), (2, "ball", 5)]
    assert pairs.named == [("ball", 5)]
    assert [row.size for row in await queries.list_sizes(db)] == [size, None]
    assert [row.boxes for row in await queries.list_embedded(db)] == [
        boxes[0],
        boxes[0],
    ]
