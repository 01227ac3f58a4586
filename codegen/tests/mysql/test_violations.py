"""The constraints that a statement can violate are those that its calls violate.

Statements of a table, and random ones, run with random values on random rows. A statement may
violate no other constraint; in the table, it violates each listed one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

import pymysql
import pytest
from aiosqlc.ir import TypedQuery
from aiosqlc.parse.placeholders import for_driver

from tests.conftest import Full
from tests.mysql.conftest import Compile, is_mysql
from tests.servers import mysql

pytestmark = pytest.mark.skipif(is_mysql(), reason="about MariaDB's errors; unset TEST_MYSQL_URL")
TABLES = """
CREATE TABLE org (id int PRIMARY KEY, code int UNIQUE);
CREATE TABLE a (
    id int AUTO_INCREMENT PRIMARY KEY, email int NOT NULL UNIQUE, age int CHECK (age > 0), lo int,
    hi int, org int, twice int AS (age * 2) STORED UNIQUE, CONSTRAINT a_range CHECK (lo <= hi),
    CONSTRAINT a_org FOREIGN KEY (org) REFERENCES org (id) ON UPDATE CASCADE ON DELETE SET NULL
);
CREATE TABLE b (
    id int PRIMARY KEY, a int, org int, n int NOT NULL CHECK (n < 4),
    half int AS (coalesce(org, 0)) VIRTUAL UNIQUE,
    CONSTRAINT b_a FOREIGN KEY (a) REFERENCES a (id) ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT b_org FOREIGN KEY (org) REFERENCES org (id) ON DELETE SET NULL ON UPDATE CASCADE
);
CREATE TABLE c (
    id int PRIMARY KEY, b int NOT NULL, email int UNIQUE,
    CONSTRAINT c_b FOREIGN KEY (b) REFERENCES b (id),
    CONSTRAINT c_email FOREIGN KEY (email) REFERENCES a (email) ON UPDATE CASCADE
);
CREATE TABLE self (
    id int PRIMARY KEY, up int,
    CONSTRAINT self_up FOREIGN KEY (up) REFERENCES self (id) ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE TABLE t (id int PRIMARY KEY, x int CHECK (x < 3), y int CHECK (y < 3), z int NOT NULL);
CREATE TRIGGER spread BEFORE UPDATE ON t FOR EACH ROW SET NEW.y = NEW.x + 2;
CREATE VIEW va AS SELECT id, code AS number FROM org;
"""
_A = {
    *("a.PRIMARY", "a.email", "a.age", "a.a_range", "a.a_org", "a.twice", "a.a.email"),
}
# Name: (SQL, the constraints that it can violate, those of them that calls cannot show).
CASES: dict[str, tuple[str, set[str], set[str]]] = {
    # An UPDATE checks what looks at its columns.
    "SetAge": ("UPDATE a SET age = ? WHERE id = ?", {"a.age", "a.twice"}, set()),
    "SetHi": ("UPDATE a SET hi = ? WHERE id = ?", {"a.a_range", "a.twice"}, {"a.twice"}),
    "SetEmail": (
        "UPDATE a SET email = ? WHERE id = ?",
        {"a.email", "a.a.email", "a.twice", "c.email"},
        {"a.twice"},
    ),
    "SetEmailTo": (
        "UPDATE a SET email = 1 WHERE id = ?",
        {"a.email", "a.twice", "c.email"},
        {"a.twice"},
    ),
    "SetTwo": (
        "UPDATE b JOIN t ON t.id = b.id SET b.n = ?, t.z = 1 WHERE b.id > ?",
        {"b.n", "b.b.n", "b.half", "t.PRIMARY", "t.x", "t.y", "t.t.id", "t.t.z"},
        {"b.half", "t.PRIMARY", "t.x", "t.t.id", "t.t.z"},
    ),
    "SetX": (
        "UPDATE t SET x = ? WHERE id = ?",
        {"t.PRIMARY", "t.x", "t.y", "t.t.id", "t.t.z"},
        {"t.PRIMARY", "t.t.id", "t.t.z"},
    ),
    "MoveOrg": (
        "UPDATE org SET id = ? WHERE id = ?",
        {"org.PRIMARY", "org.org.id", "a.twice", "b.half"},
        {"a.twice"},
    ),
    "SetCode": ("UPDATE org SET code = ? WHERE id = ?", {"org.code"}, set()),
    "SetView": (
        "UPDATE va SET number = ? WHERE id = ?",
        {"org.PRIMARY", "org.code", "org.org.id", "a.a_org", "b.b_org", "b.half", "a.twice"},
        {"org.PRIMARY", "org.org.id", "a.a_org", "b.b_org", "b.half", "a.twice"},
    ),
    "MoveA": (
        "UPDATE a SET id = ? WHERE id = ?",
        {"a.PRIMARY", "a.a.id", "a.twice", "b.half"},
        {"a.twice", "b.half"},
    ),
    "MoveSelf": (
        "UPDATE self SET id = ? WHERE id = ?",
        {"self.PRIMARY", "self.self.id", "self.self_up"},
        set(),
    ),
    # A DELETE violates keys that lead to its rows, or to the rows that go with them.
    "DropA": ("DELETE FROM a WHERE id = ?", {"c.c_b", "c.c_email"}, set()),
    "DropB": ("DELETE FROM b WHERE id = ?", {"c.c_b"}, set()),
    "DropC": ("DELETE FROM c WHERE id = ?", set(), set()),
    "DropSelf": ("DELETE FROM self WHERE id = ?", set(), set()),
    "DropOrg": ("DELETE FROM org WHERE id = ?", {"a.twice", "b.half"}, {"a.twice"}),
    # An INSERT violates all, but NOT NULL of what it leaves out or gives a literal.
    "AddA": (
        "INSERT INTO a (id, email, age, lo, hi, org) VALUES (?, ?, ?, ?, ?, ?)", _A, set()
    ),
    "AddFirst": (
        "INSERT INTO a (id, email, age, lo, hi, org) VALUES (1, -7, ?, ?, ?, ?)",
        _A - {"a.email", "a.a.email"} | {"a.email"},
        {"a.email"},
    ),
    "AddIgnored": (
        "INSERT IGNORE INTO a (id, email, age, lo, hi, org) VALUES (?, ?, ?, ?, ?, ?)",
        {"a.age", "a.a_range"},
        set(),
    ),
    "PutA": (
        "INSERT INTO a (email, age) VALUES (?, ?) ON DUPLICATE KEY UPDATE lo = ?",
        {"a.age", "a.a_range", "a.a_org", "a.twice", "a.a.email"},
        {"a.a_org", "a.twice"},
    ),
    "PutOrg": (
        "INSERT INTO org VALUES (?, ?) ON DUPLICATE KEY UPDATE code = ?",
        {"org.code", "org.org.id"},
        set(),
    ),
    "RenumberOrg": (
        "INSERT INTO org VALUES (?, ?) ON DUPLICATE KEY UPDATE id = ?",
        {"org.PRIMARY", "org.org.id", "a.twice", "b.half"},
        {"a.twice"},
    ),
    "ReplaceOrg": (
        "REPLACE INTO org VALUES (?, ?)", {"org.org.id", "a.twice", "b.half"}, {"a.twice"}
    ),
    "ReplaceB": (
        "REPLACE INTO b SET id = ?, a = ?, n = ?",
        {"b.b_a", "b.b_org", "b.n", "b.b.id", "b.b.n", "c.c_b"},
        {"b.b_org"},
    ),
    "CopyOrg": (
        "INSERT INTO org SELECT id + ?, nullif(code, ?) FROM org",
        {"org.PRIMARY", "org.code", "org.org.id"},
        set(),
    ),
}  # fmt: skip
_OFTEN = dict.fromkeys(("SetEmail", "SetEmailTo", "MoveOrg", "DropA", "DropOrg", "RenumberOrg"), 8)
_VALUES = (None, 0, 1, 1, 2, 2, 3, 4)
_COLUMNS = {
    "org": ("id", "code"),
    "a": ("id", "email", "age", "lo", "hi", "org"),
    "b": ("id", "a", "org", "n"),
    "c": ("id", "b", "email"),
    "self": ("id", "up"),
    "t": ("id", "x", "y", "z"),
}
_SAID = {
    1062: r"Duplicate entry '.*' for key '(?:(?P<table>\w+)\.)?(?P<name>\w+)'$",
    1048: r"Column '(?P<name>\w+)' cannot be null$",
    1451: r"\(`\w+`\.`(?P<table>\w+)`, CONSTRAINT `(?P<name>\w+)`",
    1452: r"\(`\w+`\.`(?P<table>\w+)`, CONSTRAINT `(?P<name>\w+)`",
    1761: r"in table '(?P<table>\w+)', key '(?P<name>\w+)'$",
    4025: r"CONSTRAINT `(?:\w+\.)?(?P<name>\w+)` failed for `\w+`\.`(?P<table>\w+)`$",
}
_KINDS = {1062: {"primary", "unique"}, 1048: {"not_null"}}
_NO_CONSTRAINT = frozenset({1364, 1690, 1442})  # no default, out of range, a trigger's own table


@pytest.fixture(scope="module")
def db() -> Iterator[Any]:
    """Open a connection to a database with the tables."""
    with mysql.running() as server:
        url = server.create_empty("violations")
        arguments = mysql.connect_arguments(url)
        arguments["database"] = arguments.pop("db")
        with pymysql.connect(**arguments) as connection:
            for statement in filter(str.strip, TABLES.split(";\n")):
                with connection.cursor() as cursor:
                    cursor.execute(statement)
            yield connection


def _compiled(compile_: Compile, texts: dict[str, str]) -> dict[str, TypedQuery]:
    queries = "\n".join(f"-- name: {name} :exec\n{sql};" for name, sql in texts.items())
    typed, problems = compile_(TABLES, queries)
    assert [p.message for p in problems if p.code not in {"E370", "E371"}] == []
    return {query.parsed.name: query for query in typed}


def _seen(db: Any, queries: Sequence[TypedQuery], rounds: int, seed: int) -> dict[str, set[str]]:
    """Return the constraints that each query violates, run alone on each set of rows."""
    random = Random(seed)
    draws = {query.parsed.name: Random(f"{query.parsed.name} {seed}") for query in queries}
    found: dict[str, set[str]] = {query.parsed.name: set() for query in queries}
    with db.cursor() as cursor:
        for _ in range(rounds):
            cursor.execute("BEGIN")
            _fill(cursor, random)
            for query in queries:
                sql, numbers = for_driver(query.sql)
                for _ in range(_OFTEN.get(query.parsed.name, 2)):
                    draw = draws[query.parsed.name]
                    values = {n: draw.choice(_VALUES) for n in sorted(set(numbers))}
                    cursor.execute("SAVEPOINT here")
                    said = _violated(cursor, sql, [values[n] for n in numbers], query)
                    found[query.parsed.name] |= said
                    cursor.execute("ROLLBACK TO here")
            cursor.execute("ROLLBACK")
    return found


def _violated(cursor: Any, sql: str, values: Sequence[object], query: TypedQuery) -> set[str]:
    """Return the constraint that a call violates; if its key has no table, all of that name."""
    try:
        cursor.execute(sql, tuple(values))
    except pymysql.MySQLError as error:
        code, text = error.args
        if code in _NO_CONSTRAINT:
            return set()
        said = re.search(_SAID[code], text)
        if said is None or said.groupdict().get("table"):
            return {f"{said['table']}.{said['name']}" if said else text}
        named = {
            _shown(item)
            for item in query.violable
            if item.kind in _KINDS[code] and said["name"] in {item.name, *item.columns}
        }
        return named or {f"?.{said['name']}"}
    return set()


def _shown(item: Any) -> str:
    return f"{item.table}.{item.name}"


def _fill(cursor: Any, random: Random) -> None:
    """Insert a few rows that the constraints allow."""
    for table, names in _COLUMNS.items():
        for _ in range(8 if table in {"b", "c"} else 5):
            values = ", ".join(str(random.choice(_VALUES) or "NULL") for _ in names)
            try:
                cursor.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({values})")
            except pymysql.MySQLError as error:
                if error.args[0] not in {*_SAID, *_NO_CONSTRAINT}:
                    raise


@pytest.fixture(scope="module")
def told(compile_: Compile, db: Any) -> dict[str, tuple[set[str], set[str]]]:
    """The claims about each statement of the table, and the constraints that calls violated."""
    queries = _compiled(compile_, {name: sql for name, (sql, *_) in CASES.items()})
    seen = _seen(db, list(queries.values()), 70, 1)
    return {name: (set(map(_shown, queries[name].violable)), seen[name]) for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_calls_violate_only_the_constraints_of_their_statement(
    name: str, told: dict[str, tuple[set[str], set[str]]]
) -> None:
    _, expected, unseen = CASES[name]
    claimed, seen = told[name]
    assert claimed == expected
    assert seen == expected - unseen


def test_random_statements_violate_nothing_that_is_not_listed(
    compile_: Compile, db: Any, full: Full
) -> None:
    random = Random(32)
    texts = {f"Q{number}": _statement(random) for number in range(full(400, sample=60))}
    queries = _compiled(compile_, texts)
    seen = _seen(db, list(queries.values()), full(60, sample=15), 2)
    outside = {
        (texts[name], constraint)
        for name, violated in seen.items()
        for constraint in violated - set(map(_shown, queries[name].violable))
    }
    assert outside == set()
    listed = sum(len(query.violable) for query in queries.values())
    assert sum(map(len, seen.values())) > 0.3 * listed


def _statement(random: Random) -> str:
    table = random.choice(list(_COLUMNS))
    columns = _COLUMNS[table]
    some = random.sample(columns, random.randint(1, len(columns)))
    assigned = ", ".join(f"{column} = {_value(random)}" for column in some)
    required = [*dict.fromkeys([columns[0], *some])]
    values = ", ".join(_value(random) for _ in required)
    match random.randrange(5):
        case 0:
            return f"DELETE FROM {table} WHERE {random.choice(columns)} >= ?"
        case 1 | 2:
            return f"UPDATE {table} SET {assigned} WHERE {random.choice(columns)} <= ?"
        case 3:
            verb = random.choice(("INSERT INTO", "INSERT IGNORE INTO", "REPLACE INTO"))
            return f"{verb} {table} ({', '.join(required)}) VALUES ({values})"
        case _:
            return (
                f"INSERT INTO {table} ({', '.join(required)}) VALUES ({values})"
                f" ON DUPLICATE KEY UPDATE {assigned}"
            )


def _value(random: Random) -> str:
    return random.choice(("?", "?", "?", "1", "2", "coalesce(?, 1)", "nullif(?, 1)"))
