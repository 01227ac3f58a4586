"""What the generated functions must do on a real server."""


async def run(db, queries):
    await db.execute("INSERT INTO city VALUES (1, 'Rome', NULL)")
    assert await queries.list_cities(db) == [await queries.get_city(db, id=1)]
    assert queries.ListCitiesRow is queries.GetCityRow
    assert queries.ListMayorsRow is not queries.GetCityRow
