"""Random filters of a query with 14 optional conditions on MySQL, compared with Python."""

from __future__ import annotations

import random
from typing import Any

from tests.mysql.generated import Generate, generate

__all__ = ["generate"]

SCHEMA = """
CREATE TABLE ticket (
    id int PRIMARY KEY, a int NOT NULL, b int, c int NOT NULL, d int, e int NOT NULL, f int,
    g int NOT NULL, name varchar(9) NOT NULL
);
"""
QUERIES = """
-- name: ListTickets :many
SELECT t.id, t.b, t.d
FROM ticket AS t
WHERE t.a = sqlc.arg(a) -- :if a
  AND t.b = sqlc.arg(b) -- :if b
  AND t.c = sqlc.arg(c) -- :if c
  AND t.d = sqlc.arg(d) -- :if d
  AND t.e = sqlc.arg(e) -- :if e
  AND t.f = sqlc.arg(f) -- :if f
  AND t.g IN (sqlc.slice(g)) -- :if g
  AND t.id > sqlc.arg(after) -- :if after
  AND t.id < sqlc.arg(before) -- :if before
  AND (t.name = sqlc.arg(name) OR t.b IS NULL) -- :if name
  AND t.b IS NOT NULL -- :if has_b
  AND t.d IS NULL -- :if no_d
  AND t.id BETWEEN sqlc.arg(low) AND sqlc.arg(high) -- :if low, high
  AND NOT t.c = t.e -- :if unlike
ORDER BY t.id -- :sort t.id, t.id desc
LIMIT 1000;
"""


async def test_random_filters_return_the_rows_that_they_say(generate: Generate) -> None:
    chance = random.Random(3)
    rows: list[tuple[Any, ...]] = [
        (n, *(chance.choice((None, 1, 2) if at % 2 else (1, 2)) for at in range(7)), f"n{n % 3}")
        for n in range(80)
    ]
    values = ", ".join(str(row).replace("None", "NULL") for row in rows)
    store = generate(SCHEMA, QUERIES, rows=f"INSERT INTO ticket VALUES {values};")
    filters: dict[str, tuple[Any, Any]] = {
        name: (1, lambda r, v, at=at: r[at] == v) for at, name in enumerate("abcdef", 1)
    }
    filters |= {
        "g": ([2, 5], lambda r, v: r[7] in v),
        "after": (4, lambda r, v: r[0] > v),
        "before": (70, lambda r, v: r[0] < v),
        "name": ("n1", lambda r, v: r[8] == v or r[2] is None),
        "has_b": (True, lambda r, _: r[2] is not None),
        "no_d": (True, lambda r, _: r[4] is None),
        "low": (10, lambda r, v: v <= r[0] <= 60),
        "unlike": (True, lambda r, _: r[3] != r[5]),
    }
    queries = store.module()
    found = 0
    async with store.connected() as db:
        for _ in range(400):
            some = chance.sample(sorted(filters), chance.randrange(15) // chance.choice((1, 3)))
            given = {name: filters[name][0] for name in some}
            given |= {"high": 60} if "low" in given else {}
            order = chance.choice(("id", "id desc"))
            expected = [r for r in rows if all(filters[n][1](r, filters[n][0]) for n in some)]
            actual = await queries.list_tickets(db, sort=order, **given)
            wanted = [(r[0], r[2], r[4]) for r in sorted(expected, reverse=order != "id")]
            assert [(r.id, r.b, r.d) for r in actual] == wanted, (some, order)
            found += bool(expected)
    assert found > 100
    assert len(queries.LIST_TICKETS) > 200
