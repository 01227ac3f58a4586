"""Call the generated functions on a real server with random filters, and compare with Python."""

import random
import sys
from fnmatch import fnmatch

import pytest


async def run(db, queries):
    chance = random.Random(7)
    rows = [
        (
            number,
            chance.choice((1, 2)),
            chance.choice(("a", "b", "ab")),
            chance.choice((None, 1, 2)),
            chance.choice(("new", "done", "held")),
            chance.choice((None, 1, 2, 3)),
            chance.random() < 0.3,
        )
        for number in range(60)
    ]
    labels = {number: chance.choice(("x", "y", "")) for number in range(60)}
    await db.executemany("INSERT INTO ticket VALUES ($1, $2, $3, $4, $5, $6, $7)", rows)
    await db.executemany(
        "INSERT INTO label VALUES ($1, $2)",
        [(key, name) for key, name in labels.items() if name],
    )
    filters = {
        "tenant": (1, lambda r, v: r[1] == v),
        "title": ("ab", lambda r, v: r[2] == v),
        "pattern": ("a%", lambda r, v: fnmatch(r[2], v.replace("%", "*"))),
        "owner": (2, lambda r, v: r[3] == v),
        "unowned": (True, lambda r, _: r[3] is None),
        "state": ("done", lambda r, v: r[4] == v),
        "states": (["new", "done"], lambda r, v: r[4] in v),
        "least": (2, lambda r, v: r[5] is not None and v <= r[5] <= 3),
        "above": (2, lambda r, v: r[6] or (r[5] is not None and r[5] > v)),
        "unfinished": (True, lambda r, _: not r[6]),
        "label": ("x", lambda r, v: labels[r[0]] == v),
        "after": (9, lambda r, v: r[0] > v),
        "before": (50, lambda r, v: r[0] < v),
        "other": (20, lambda r, v: r[0] != v),
    }
    found = 0
    for _ in range(400):
        some = chance.sample(sorted(filters), chance.randrange(15))
        if chance.random() < 0.5:
            some = some[:4]
        given = {name: filters[name][0] for name in some}
        if "least" in given:
            given["most"] = 3
        order = chance.choice(("id", "title desc"))
        expected = [
            r for r in rows if all(filters[n][1](r, filters[n][0]) for n in some)
        ]
        actual = await queries.list_tickets(db, size=99, sort=order, **given)
        key = (lambda r: r[0]) if order == "id" else (lambda r: (r[2],))
        assert {(r.id, r.title, r.owner) for r in actual} == {
            (r[0], r[2], r[3]) for r in expected
        }
        assert [key((r.id, 0, r.title)) for r in actual] == sorted(
            map(key, expected), reverse=order != "id"
        )
        found += bool(expected)
    assert found > 50
    with pytest.raises(ValueError, match="no such sort"):
        await queries.list_tickets(db, size=1, sort="id; DROP TABLE ticket")
    names = sys.modules[queries.__package__].QUERY_NAMES
    assert set(queries.LIST_TICKETS.values()) <= set(names)
    assert len(queries.LIST_TICKETS) > 100
    some = await queries.count_tickets(db, tenant=1, closed=False, after=5, before=40)
    expected = [r for r in rows if r[1] == 1 and not r[6] and 5 < r[0] < 40]
    assert some.count == len(expected)
    assert some.first == min(r[0] for r in expected)
    none = await queries.count_tickets(
        db, tenant=1, other=5, weighed=True, title="none"
    )
    assert (none.count, none.highest, none.first) == (0, None, None)
