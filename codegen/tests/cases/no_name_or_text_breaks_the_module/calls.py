"""What the generated functions must do on a real server."""

import sys


async def run(db, queries):
    models = sys.modules[queries.__package__ + ".models"]
    await db.execute(
        """INSERT INTO "Select" VALUES (1, 'f', 't', 'x', 's', 'back\\slash', 'n', 'm')"""
    )
    [row] = await queries.list_select(db)
    assert (row.class_, row.from_, row.two_words, row.self) == (1, "f", "t", "s")
    assert row.row is models.OddEnum("back\\slash")
    assert (row.naïve, row.mixed) == ("n", "m")
    text = await queries.text(db)
    assert text.text == 'it\'s "quoted" """tripled""" \\ back\\\\slash %s %% {x} ünïcode 日本'
    assert text.escaped == "tab\t newline\n"
    assert text.dollar == "dollar 'quoted' $$ \""
    assert await queries.backslash(db) == 'one line \\d """ \''
    both = await queries.lambda_(db, class_="c", from_="f")
    assert (both.def_, both.import_) == ("c", "f")
    [found] = await queries.rows(db, row=models.OddEnum("1st"), rows=1)
    assert found.class_ == 1
