"""Queries with includes, and the same queries written without includes.

Both engines must treat them equally.
"""

from __future__ import annotations

from dataclasses import dataclass

SCHEMA = """
CREATE TABLE customer (id int PRIMARY KEY, name varchar(20) NOT NULL, city varchar(20));
CREATE TABLE orders (
    id int PRIMARY KEY, customer_id int NOT NULL REFERENCES customer (id),
    status varchar(9) NOT NULL, total int, deleted_at int,
    FOREIGN KEY (customer_id) REFERENCES customer (id)
);
CREATE TABLE item (order_id int NOT NULL, name varchar(20) NOT NULL, price int NOT NULL, size int);
"""
ROWS = """
INSERT INTO customer VALUES (1, 'a', 'x'), (2, 'b', NULL), (3, 'c', 'x');
INSERT INTO orders VALUES
    (1, 1, 'new', 10, NULL), (2, 1, 'paid', NULL, NULL), (3, 2, 'paid', 7, 5),
    (4, 2, 'new', 3, NULL),
    (5, 3, 'new', 8, 1);
INSERT INTO item VALUES (1, 'p', 4, NULL), (1, 'q', 6, 2), (3, 'p', 7, 1), (4, 'r', 3, 3);
"""


@dataclass(frozen=True)
class Case:
    """Fragments, a query with includes, and the query without; `args` are passed by name."""

    name: str
    fragments: str
    query: str
    written: str
    args: dict[str, object]


_VISIBLE = "-- fragment: visible(o)\no.deleted_at IS NULL OR o.status = 'paid';"

CASES = (
    Case(
        "a condition keeps its meaning beside AND and NOT",
        _VISIBLE,
        "SELECT id FROM orders ord WHERE total > 1 AND NOT sqlc.include(visible, ord) ORDER BY id",
        "SELECT id FROM orders ord WHERE total > 1 AND NOT"
        " (ord.deleted_at IS NULL OR ord.status = 'paid') ORDER BY id",
        {},
    ),
    Case(
        "an expression keeps its meaning as an operand",
        "-- fragment: net(o, tax)\no.total - tax;",
        "SELECT id, 100 - sqlc.include(net, orders, 2) * 2 AS n FROM orders ORDER BY id",
        "SELECT id, 100 - (orders.total - 2) * 2 AS n FROM orders ORDER BY id",
        {},
    ),
    Case(
        "a single column keeps its name",
        "-- fragment: title(o)\no.status;",
        "SELECT sqlc.include(title, o) FROM orders o WHERE o.id = 1",
        "SELECT o.status FROM orders o WHERE o.id = 1",
        {},
    ),
    Case(
        "items of the select list, and of GROUP BY and ORDER BY",
        "-- fragment: keys(o)\no.customer_id, o.status;\n"
        "-- fragment: order_(o)\no.customer_id DESC, o.status;",
        "SELECT sqlc.include(keys, o), count(*) AS n FROM orders o"
        " GROUP BY sqlc.include(keys, o) ORDER BY sqlc.include(order_, o)",
        "SELECT o.customer_id, o.status, count(*) AS n FROM orders o"
        " GROUP BY o.customer_id, o.status ORDER BY o.customer_id DESC, o.status",
        {},
    ),
    Case(
        "an embedded table",
        "-- fragment: whole(c)\nsqlc.embed(c);",
        "SELECT o.id, sqlc.include(whole, c) FROM orders o JOIN customer c ON c.id = o.customer_id"
        " WHERE o.id = sqlc.arg(id)",
        "SELECT o.id, sqlc.embed(c) FROM orders o JOIN customer c ON c.id = o.customer_id"
        " WHERE o.id = sqlc.arg(id)",
        {"id": 4},
    ),
    Case(
        "an outer join to the tables before makes columns optional",
        "-- fragment: items(o)\n"
        "LEFT JOIN item AS i ON i.order_id = o.id AND i.price > sqlc.arg(least);",
        "SELECT o.id, i.name FROM orders AS o sqlc.include(items, o) ORDER BY o.id, i.name",
        "SELECT o.id, i.name FROM orders AS o LEFT JOIN item AS i"
        " ON i.order_id = o.id AND i.price > sqlc.arg(least) ORDER BY o.id, i.name",
        {"least": 4},
    ),
    Case(
        "joins one after the other",
        "-- fragment: items(o)\nJOIN item AS i ON i.order_id = o.id;\n"
        "-- fragment: buyer(o, c)\nJOIN customer AS c ON c.id = o.customer_id;",
        "SELECT o.id, i.name, b.city FROM orders o sqlc.include(items, o) sqlc.include(buyer, o, b)"
        " WHERE b.city IS NOT NULL ORDER BY o.id, i.name",
        "SELECT o.id, i.name, b.city FROM orders o JOIN item AS i ON i.order_id = o.id"
        " JOIN customer AS b ON b.id = o.customer_id WHERE b.city IS NOT NULL"
        " ORDER BY o.id, i.name",
        {},
    ),
    Case(
        "a chain of joined tables on the right of an outer join",
        "-- fragment: sold(o, i)\norders AS o JOIN item AS i ON i.order_id = o.id;",
        "SELECT c.name, x.id, y.price FROM customer c LEFT JOIN sqlc.include(sold, x, y)"
        " ON x.customer_id = c.id ORDER BY c.name, x.id, y.price",
        "SELECT c.name, x.id, y.price FROM customer c LEFT JOIN"
        " (orders AS x JOIN item AS y ON y.order_id = x.id)"
        " ON x.customer_id = c.id ORDER BY c.name, x.id, y.price",
        {},
    ),
    Case(
        "a single table",
        "-- fragment: source(o)\norders o;",
        "SELECT t.id FROM customer c JOIN sqlc.include(source, t) ON t.customer_id = c.id"
        " ORDER BY t.id",
        "SELECT t.id FROM customer c JOIN orders t ON t.customer_id = c.id ORDER BY t.id",
        {},
    ),
    Case(
        "a query as a derived table, as a list and as a value",
        "-- fragment: paid(state)\nSELECT p.id FROM orders p WHERE p.status = state;",
        "SELECT d.id, (SELECT max(m.id) AS x FROM sqlc.include(paid, 'new') m) AS last"
        " FROM sqlc.include(paid, sqlc.arg(state)) AS d WHERE d.id IN (sqlc.include(paid, 'paid'))"
        " ORDER BY d.id",
        "SELECT d.id, (SELECT max(m.id) AS x FROM"
        " (SELECT p.id FROM orders p WHERE p.status = 'new') m) AS last"
        " FROM (SELECT p.id FROM orders p WHERE p.status = sqlc.arg(state)) AS d"
        " WHERE d.id IN (SELECT p.id FROM orders p WHERE p.status = 'paid') ORDER BY d.id",
        {"state": "paid"},
    ),
    Case(
        "a union inside a query",
        "-- fragment: both()\nSELECT 1 AS n UNION ALL SELECT 2;",
        "SELECT t.n FROM sqlc.include(both) AS t ORDER BY t.n",
        "SELECT t.n FROM (SELECT 1 AS n UNION ALL SELECT 2) AS t ORDER BY t.n",
        {},
    ),
    Case(
        "assignments",
        "-- fragment: touch(now)\ndeleted_at = now, status = 'gone';",
        "UPDATE orders SET total = total + 1, sqlc.include(touch, sqlc.arg(stamp)) WHERE id = 4",
        "UPDATE orders SET total = total + 1, deleted_at = sqlc.arg(stamp), status = 'gone'"
        " WHERE id = 4",
        {"stamp": 9},
    ),
    Case(
        "fragments inside fragments, with parameters of both",
        f"{_VISIBLE}\n-- fragment: wanted(o, i)\n"
        "sqlc.include(visible, o) AND i.price >= sqlc.arg(least);",
        "SELECT i.name, o.id FROM orders o JOIN item i ON i.order_id = o.id"
        " WHERE sqlc.include(wanted, o, i) AND o.id > sqlc.arg(after) ORDER BY i.name, o.id",
        "SELECT i.name, o.id FROM orders o JOIN item i ON i.order_id = o.id"
        " WHERE ((o.deleted_at IS NULL OR o.status = 'paid') AND i.price >= sqlc.arg(least))"
        " AND o.id > sqlc.arg(after) ORDER BY i.name, o.id",
        {"after": 1, "least": 4},
    ),
    Case(
        "strings and comments are not parameters",
        "-- fragment: odd(o, n)\no.status <> 'o.n' -- o and n\nAND /* n */ o.id <> n;",
        "SELECT id FROM orders t WHERE sqlc.include(odd, t, -1) ORDER BY id",
        "SELECT id FROM orders t WHERE (t.status <> 'o.n' AND t.id <> (-1)) ORDER BY id",
        {},
    ),
    Case(
        "a subquery that refers to the query around it",
        "-- fragment: has_items(o)\n"
        "EXISTS (SELECT 1 FROM item AS i WHERE i.order_id = o.id AND i.size IS NOT NULL);",
        "SELECT o.id FROM orders o WHERE sqlc.include(has_items, o) ORDER BY o.id",
        "SELECT o.id FROM orders o WHERE EXISTS"
        " (SELECT 1 FROM item AS i WHERE i.order_id = o.id AND i.size IS NOT NULL) ORDER BY o.id",
        {},
    ),
    Case(
        "conditions of a fragment make a column not null",
        "-- fragment: priced(o)\no.total IS NOT NULL AND o.id = sqlc.arg(id);",
        "SELECT o.total FROM orders o WHERE sqlc.include(priced, o)",
        "SELECT o.total FROM orders o WHERE o.total IS NOT NULL AND o.id = sqlc.arg(id)",
        {"id": 1},
    ),
    Case(
        "a list of values as an argument",
        "-- fragment: among(o, wanted)\no.id IN (wanted);",
        "SELECT o.id FROM orders o WHERE sqlc.include(among, o, sqlc.slice(ids)) ORDER BY o.id",
        "SELECT o.id FROM orders o WHERE o.id IN (sqlc.slice(ids)) ORDER BY o.id",
        {"ids": [1, 3, 9]},
    ),
)
