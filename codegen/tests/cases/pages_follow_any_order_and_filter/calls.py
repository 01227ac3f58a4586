"""Each order and filter, on a server."""

import itertools


async def run(db, queries):
    """Walk the pages of each order with each combination of three of the filters."""
    rows = [
        (key, 1, "abc"[key % 3], key % 2 or None, "xy"[key % 2], key % 4, key % 5 == 0)
        for key in range(20)
    ]
    for row in rows:
        await db.execute("INSERT INTO ticket VALUES ($1, $2, $3, $4, $5, $6, $7)", *row)
    filters = {
        "title": ("b", lambda row: row[2] == "b"),
        "unowned": (True, lambda row: row[3] is None),
        "most": (2, lambda row: row[5] <= 2),
    }
    orders = {
        "title": lambda row: (row[2], row[0]),
        "title desc": lambda row: (-ord(row[2]), row[0]),
        "tenant": lambda row: (row[1], row[0]),
    }
    for sort, names in itertools.product(
        orders, ((), *itertools.combinations(filters, 1), filters)
    ):
        given = {name: filters[name][0] for name in names}
        kept = [row for row in rows if all(filters[name][1](row) for name in names)]
        found = []
        cursor = None
        while True:
            page = await queries.walk_tickets(
                db, tenant=1, sort=sort, page_size=3, cursor=cursor, **given
            )
            found += [row.id for row in page.rows]
            cursor = page.next
            if cursor is None:
                break
        assert found == [row[0] for row in sorted(kept, key=orders[sort])], (
            sort,
            names,
        )
    for sort, sign in (("owner nulls last", 1), ("owner desc nulls last", -1)):
        by_owner = [(row[3] is None, sign * (row[3] or 0), row[0]) for row in rows]
        found = []
        cursor = None
        while True:
            page = await queries.walk_owners(db, page_size=3, cursor=cursor, sort=sort)
            found += page.rows
            cursor = page.next
            if cursor is None:
                break
        assert found == [key for _, _, key in sorted(by_owner)], sort
    shown = []
    cursor = None
    while True:
        page = await queries.walk_shown(db, page_size=3, cursor=cursor)
        shown += [(row.title, row.key) for row in page.rows]
        cursor = page.next
        if cursor is None:
            break
    by_title = sorted(rows, key=lambda row: (-ord(row[2]), row[0]))
    assert shown == [(row[2].upper(), row[0]) for row in by_title]
    page = await queries.walk_states(db, page_size=2, title="a")
    assert page.rows == [3, 9]
