"""Call the generated functions on a real server, and check each page that they return."""

import sys
from decimal import Decimal


async def run(db, queries):
    product = sys.modules[queries.__package__ + ".models"].Product
    await db.execute("INSERT INTO product VALUES (1, 'b', 5), (2, 'a', NULL), (3, 'c', 5)")
    rows = [product(2, "a", None), product(1, "b", Decimal(5)), product(3, "c", Decimal(5))]
    assert await queries.list_products(db, page_size=2, skip=0) == (rows[:2], 3)
    assert await queries.list_products(db, page_size=2, skip=2) == (rows[2:], 3)
    assert await queries.list_products(db, page_size=2, skip=4) == ([], 3)
    assert await queries.list_names(db, page_size=9, skip=1, sort="name desc") == (["B", "A"], 3)
    assert await queries.list_names(db, page_size=1, skip=0, most=Decimal(9)) == (["B"], 2)
    assert await queries.list_names(db, page_size=1, skip=2, most=Decimal(9)) == ([], 2)
    assert await queries.list_names(db, page_size=1, skip=0, most=Decimal(1)) == ([], 0)
    assert await queries.list_prices(db, skip=1) == ([Decimal(5)], 2)
    assert await queries.list_prices(db, skip=2) == ([], 2)
