"""What the generated functions must do on a real server."""


async def run(db, queries):
    rows = [
        queries.CopyCastParams(id=1, name="ann", friend=2, note="x"),
        queries.CopyCastParams(id=2, name="bob", friend=None, note=None),
    ]
    assert await queries.copy_cast(db, rows) == 2
    [pair] = await queries.two_ids(db)
    assert (pair.id, pair.id_3, pair.id_2, pair.note, pair.id_4) == (1, 2, "bob", None, 1)
    assert await queries.between(db, id=0, id_2=2) == ["ann"]
    assert await queries.by_name(db, name="ann", name_2="bob", note="x") == [1, 2]
    [both] = await queries.with_friend(db)
    assert (both.a.name, both.b.name, both.a_2) == ("ann", "bob", 1)
    assert await queries.name_by_id(db, id=1) == "ann"
    assert await queries.name_by_id_2(db, id=1) == queries.NameById2Row(id=1, name="ann")
