"""Call the generated functions on a real server, and compare with the rows that the rules allow."""

from decimal import Decimal


async def run(db, queries):
    await db.execute("INSERT INTO customer VALUES (1, 'a')")
    await db.execute(
        "INSERT INTO orders VALUES (1, 1, 7, 10, NULL), (2, 1, 8, 5, NULL), (3, 1, 8, NULL, NULL),"
        " (4, 1, 7, 6, now()), (5, 1, 7, 1, NULL)"
    )
    order = await queries.get_order(db, number=1, viewer=7)
    assert (order.id, order.total) == (1, Decimal(10))
    assert await queries.get_order(db, number=2, viewer=7) is None
    assert await queries.get_order(db, number=4, viewer=7) is None
    assert (await queries.get_order(db, number=3, viewer=7)).total is None
    rows = await queries.list_priced(db, viewer=7)
    assert [(row.total, row.name) for row in rows] == [
        (Decimal(10), "a"),
        (Decimal(1), None),
    ]
    assert await queries.list_orders(db) == [1, 2, 3, 4, 5]
    assert await queries.list_orders(db, least=Decimal(6)) == [1, 4]
    assert await queries.list_orders(db, least=Decimal(1), customer=2) == []
    assert await queries.list_orders(db, large=True) == [1, 2, 4]
    assert await queries.hide_order(db, number=2, viewer=7) == 0
    assert await queries.hide_order(db, number=1, viewer=7) == 1
    assert await queries.get_order(db, number=1, viewer=7) is None
