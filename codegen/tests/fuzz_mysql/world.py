"""The tables of the queries, and data with many NULLs, duplicates and similar values."""

from __future__ import annotations

from random import Random

SCHEMA = """
CREATE TABLE a (
    id int PRIMARY KEY, name varchar(20) NOT NULL, bio varchar(20), grp int NOT NULL, f tinyint(1),
    at datetime, day date NOT NULL, st enum('p', 'q') NOT NULL
);
CREATE TABLE b (
    id int PRIMARY KEY, aid int NOT NULL, x int, title varchar(20) NOT NULL, note varchar(20),
    UNIQUE (aid, title)
);
CREATE TABLE c (
    bid int NOT NULL, aid int, v decimal(10, 2) NOT NULL, w int, PRIMARY KEY (bid, v), UNIQUE (aid)
);
CREATE TABLE d (
    k varchar(10) COLLATE utf8mb4_bin PRIMARY KEY, k2 varchar(10) COLLATE utf8mb4_general_ci UNIQUE,
    n bigint UNIQUE, at datetime NOT NULL, pre varchar(20) NOT NULL, UNIQUE (pre(1))
);
CREATE TABLE e (
    id int PRIMARY KEY, ip inet6 NOT NULL, oip inet6, u uuid NOT NULL, t time NOT NULL, od date,
    s varchar(40) NOT NULL, aid int
);
CREATE TABLE v (id int PRIMARY KEY, x int NOT NULL, n int) WITH SYSTEM VERSIONING;
CREATE VIEW va AS SELECT a.id, a.name, b.title, b.note FROM a LEFT JOIN b ON b.aid = a.id;
CREATE VIEW vr AS SELECT grp, count(*) AS n FROM a GROUP BY grp WITH ROLLUP;
"""

# Per relation: column → the sort of its values.
COLUMNS: dict[str, dict[str, str]] = {
    "a": {
        "id": "int", "name": "text", "bio": "text", "grp": "int", "f": "int", "at": "time",
        "day": "time",
        "st": "text",
    },
    "b": {"id": "int", "aid": "int", "x": "int", "title": "text", "note": "text"},
    "c": {"bid": "int", "aid": "int", "v": "dec", "w": "int"},
    "d": {"k": "text", "k2": "text", "n": "int", "at": "time", "pre": "text"},
    "e": {
        "id": "int", "ip": "net", "oip": "net", "u": "net", "t": "clock", "od": "time", "s": "text",
        "aid": "int",
    },
    "v": {"id": "int", "x": "int", "n": "int"},
    "va": {"id": "int", "name": "text", "title": "text", "note": "text"},
    "vr": {"grp": "int", "n": "int"},
}  # fmt: skip
# Keys, for queries that look rows up.
KEYS: dict[str, list[tuple[str, ...]]] = {
    "a": [("id",)],
    "b": [("id",), ("aid", "title")],
    "c": [("bid", "v"), ("aid",)],
    "d": [("k",), ("k2",), ("n",), ("pre",)],
    "e": [("id",)],
    "v": [("id",)],
}
_TEXTS = ("lit", "n1", "z", "", "1", "01", "1.0", "A", "a")
_CLOCKS = ("00:00:00", "838:59:59", "-10:00:01")
_TIMES = ("2000-01-01 00:00:00", "2020-02-29 12:00:00", "9999-12-31 23:59:59")


def inserts(random: Random) -> list[str]:
    """Return statements that fill the tables; callers ignore those that violate a key."""
    statements = []

    def maybe(value: str) -> str:
        return "NULL" if random.random() < 0.4 else value

    def text() -> str:
        return f"'{random.choice(_TEXTS)}'"

    def number() -> str:
        return str(random.randrange(-1, 6))

    def time() -> str:
        return f"'{random.choice(_TIMES)}'"

    for table, rows in zip("abcd", [random.choice([0, 1, 3, 7]) for _ in "abcd"], strict=True):
        for row in range(rows):
            values = {
                "a": lambda row=row: (
                    str(row), text(), maybe(text()), number(), maybe(random.choice("01")),
                    maybe(time()),
                    f"'{random.choice(_TIMES)[:10]}'", random.choice(["'p'", "'q'"]),
                ),
                "b": lambda row=row: (str(row), number(), maybe(number()), text(), maybe(text())),
                "c": lambda row=row: (number(), maybe(number()), random.choice(["0", "1.50", "-2"]),
                maybe(number())),
                "d": lambda row=row: (
                    f"'{random.choice([*_TEXTS, str(row)])}'", maybe(text()), maybe(number()),
                    time(), f"'{random.choice('xyz')}{row}'",
                ),
            }[table]()  # fmt: skip
            statements.append(f"INSERT IGNORE INTO {table} VALUES ({', '.join(values)})")
    for row in range(random.choice([0, 1, 3])):
        uuid = f"'{row:08x}-0000-0000-0000-000000000000'"
        values = (
            str(row), f"'::{row}'", maybe("'::7'"), uuid, f"'{random.choice(_CLOCKS)}'",
            maybe(f"'{random.choice(_TIMES)[:10]}'"), random.choice(["'bad'", "'::1'", "''"]),
            maybe(number()),
        )  # fmt: skip
        statements.append(f"INSERT IGNORE INTO e VALUES ({', '.join(values)})")
        statements.append(f"INSERT IGNORE INTO v VALUES ({row}, {number()}, {maybe(number())})")
    statements.append("UPDATE v SET x = x + 10")
    return statements
