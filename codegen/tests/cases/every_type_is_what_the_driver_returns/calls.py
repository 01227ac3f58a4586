"""The annotation of every column must describe the value that the driver returns."""

import sys
import types
import typing

from asyncpg import Range


async def run(db, queries):
    models = sys.modules[queries.__package__ + ".models"]
    await db.execute(
        """
        INSERT INTO everything VALUES (
            1, 2, 3, 4, 1.5, 2.5, 3.25, true, 'text', 'varchar', 'abc', 'name', 'c', 'bytes',
            gen_random_uuid(), current_date, '10:00', '10:00+01', now(), now(), '1 day 2 hours',
            '{"a": 1}', '{"a": 1}', '10.0.0.1', '10.0.0.0/8', '08:00:2b:01:02:03',
            B'1010', B'10', 1.5::numeric, 'a b', '(1,2)', '{1,2,3}', '[(0,0),(1,1)]',
            '((0,0),(1,1))', '((0,0),(1,1))', '((0,0),(1,1))', '<(0,0),1>', '[1,5)',
            '{[1,2),[5,6)}', '[1,2)', 'red', '{red,deep blue,NULL}', ROW(1, 'red')::pair,
            ARRAY[ROW(1, 'red'), NULL, ROW(NULL, NULL)]::pair[], 'a@b', '{1,NULL}'
        )
        """
    )
    row = await queries.get_everything(db)
    for name, annotation in typing.get_type_hints(type(row)).items():
        assert fits(getattr(row, name), annotation), (name, annotation, getattr(row, name))
    assert row.c_pairs[0] == models.Pair(1, models.Colour.RED)
    assert row.c_pairs[1] is None
    assert row.c_colours == [models.Colour.RED, models.Colour.DEEP_BLUE, None]

    blue = models.Colour.DEEP_BLUE
    await queries.add_colours(db, colours=[blue], colour=blue, pair=models.Pair(7, blue))
    changed = await queries.get_everything(db)
    assert (changed.c_colours, changed.c_colour) == ([blue], blue)
    assert await queries.get_pair(db) == models.Pair(7, blue)
    assert await queries.list_pairs(db) == [row.c_pairs]
    wanted = [models.Wanted(7, [models.Pair(7, blue)]), models.Wanted(9, [models.Pair(9, blue)])]
    assert await queries.count_wanted(db, wanted=wanted, within=Range(7, 8)) == 1
    about = await queries.transaction(db)
    for name, annotation in typing.get_type_hints(type(about)).items():
        assert fits(getattr(about, name), annotation), (name, annotation, getattr(about, name))


def fits(value, annotation):
    """Whether a value is what an annotation says, elements included."""
    origin = typing.get_origin(annotation)
    arguments = typing.get_args(annotation)
    if annotation is type(None):
        return value is None
    if origin in {types.UnionType, typing.Union}:
        return any(fits(value, one) for one in arguments)
    if origin is list:
        return isinstance(value, list) and all(fits(item, arguments[0]) for item in value)
    if origin is tuple:
        return isinstance(value, tuple)
    if origin is not None:
        return isinstance(value, origin)
    if annotation is int:
        return type(value) is int
    return isinstance(value, annotation)
