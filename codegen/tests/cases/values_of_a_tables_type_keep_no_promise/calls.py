"""What the generated functions must do on a real server."""

from typing import get_type_hints


async def run(db, queries):
    await db.execute("INSERT INTO part VALUES (1, 'ok')")
    [row] = await queries.list_parts(db)
    assert (row.id, row.kind) == (1, "ok")
    made = await queries.make_part(db)
    assert (made.id, made.kind) == (None, None)
    assert get_type_hints(type(row))["id"] is int
    assert get_type_hints(type(made))["id"] == int | None
    [gathered] = await queries.gather_parts(db)
    assert (gathered.id, gathered.kind) == (1, "ok")
    sent = await queries.send_part(db, part=queries.PartValue(None, None))
    assert (sent.id, sent.kind) == (None, None)
    await db.execute("INSERT INTO stones VALUES (1, ROW('sad'))")
    [stone] = await queries.list_stones(db)  # its class is Stone: a value of that type has another
    assert (stone.id, stone.cut.kind) == (1, "sad")
    await db.execute("INSERT INTO gems VALUES (1, 'opal')")
    [gem] = await queries.list_gems(db)  # Gem is the enum: a row of gems has another name
    assert (type(gem).__name__, type(gem.kind).__name__, gem.kind) == ("GemRow", "Gem", "opal")
