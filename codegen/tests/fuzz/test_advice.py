"""Redundant work that `vet` reports can be removed: random queries return the same rows."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import sqlglot
from aiosqlc.ir import AnalyzeOptions, TypedQuery
from aiosqlc.postgres import analyze
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.servers.postgres.embedded import embedded_server
from sqlglot import exp

from tests.fuzz.hunt import _ROWS, _Database, _parsed
from tests.proofs.judge import file_of

_QUERIES, _ROUNDS = 900, 3
_FEWEST = 40  # of each rule: else nothing was tried
_SCHEMA = [
    "create table k (id int primary key, a int, b int not null, c int)",
    "create table u (id int not null, a int unique, b int not null, c int unique)",
    "create table n (id int unique nulls not distinct, a int not null, b int, c int not null)",
    "create table p (id int not null, a int not null, b int not null, c int)",
    "create unique index p_part on p (id) where b > 1",
    "create unique index p_expr on p ((a + b))",
    "create unique index p_full on p (a)",
    "create table h (id int primary key, a int not null, b int, c int)",
    "create table child () inherits (h)",
    "create view v as select k.id, k.a, u.b, u.c from k left join u on u.a = k.a",
]
_TABLES = ["k", "u", "n", "p", "h", "v"]
_COLUMNS = ["id", "a", "b", "c"]


def test_what_is_called_vain_changes_no_row_when_it_is_left_out() -> None:
    r = random.Random(20)
    tried: Counter[str] = Counter()
    texts = [_query(r) for _ in range(_QUERIES)]
    analysis, _ = analyze([file_of(_SCHEMA)], list(_parsed(texts)), AnalyzeOptions())
    advised = [(query, list(_without(query))) for query in analysis.queries if query.advice]
    with embedded_server() as server, _Database(server, "vain") as database:
        for statement in _SCHEMA:
            database.connection.run(statement)
        for _ in range(_ROUNDS):
            _fill(database.connection, r)
            for query, others in advised:
                expected = _rows(database.connection, query.sql)
                for code, text in others if expected is not None else ():
                    assert _rows(database.connection, text) == expected, (code, query.sql, text)
                    tried[code] += 1
    assert len(analysis.queries) > _QUERIES * 0.8
    assert all(tried[code] >= _FEWEST for code in ("V013", "V014", "V015")), tried


def _query(r: random.Random) -> str:
    aliases = ["x", "y", "z"][: r.choice([1, 1, 2, 2, 3])]
    sources = _source(r, "x")
    for number, alias in enumerate(aliases[1:], 1):
        word = r.choice(["left join"] * 4 + ["join", "right join", "full join"])
        sources += f" {word} {_source(r, alias)} on {_condition(r, alias, aliases[:number])}"
    where = f" where {_condition(r, r.choice(aliases), aliases)}" if r.random() < 0.4 else ""
    shown = r.sample(aliases, r.choice([1, 1, len(aliases)]))
    columns = [f"{r.choice(shown)}.{r.choice(_COLUMNS)}" for _ in range(r.choice([1, 2, 2, 3]))]
    columns = list(dict.fromkeys(columns))
    if r.random() < 0.35:
        grouped = columns if r.random() < 0.6 else []
        keys = f" group by {', '.join(grouped)}" if grouped else ""
        listed = r.sample(grouped, r.randint(0, len(grouped)))
        listed.append(f"count({'distinct ' * (r.random() < 0.2)}{r.choice(columns)})")
        return f"select {_distinct(r)}{', '.join(listed)} from {sources}{where}{keys}"
    return f"select {_distinct(r)}{', '.join(columns)} from {sources}{where}"


def _distinct(r: random.Random) -> str:
    return "distinct " if r.random() < 0.5 else ""


def _source(r: random.Random, alias: str) -> str:
    table = r.choice(_TABLES)
    kinds = [
        table,
        table,
        table,
        f"(select a as id, max(b) as a, count(*) as b, min(c) as c from {table} group by a)",
        f"(select * from {table} order by id, a, b, c limit 1)",
        # No constants here: above a FULL JOIN, PostgreSQL 18 can lose a condition on one.
        f"(select distinct id, a, id as b, a as c from {table})",
    ]
    return f"{r.choice(kinds)} {alias}"


def _condition(r: random.Random, alias: str, others: list[str]) -> str:
    parts = []
    for _ in range(r.choice([1, 1, 2])):
        left = f"{alias}.{r.choice(['id', 'id', *_COLUMNS])}"
        other = f"{r.choice(others)}.{r.choice(_COLUMNS)}"
        forms = [f"= {other}"] * 4
        forms += ["= 1", "is not null", f"is not distinct from {other}", f">= {other}", "> 1"]
        parts.append(f"{left} {r.choice(forms)}")
    if r.random() < 0.15:
        parts.append(f"{alias}.a + {alias}.b = {r.choice(others)}.id")
    return " and ".join(parts)


def _fill(connection: Connection, r: random.Random) -> None:
    for table in (*_TABLES[:-1], "child"):
        connection.run(f"delete from {table}")
        for _ in range(r.randrange(12)):
            values = ", ".join(r.choice(["null", "null", "0", "1", "2", "3"]) for _ in _COLUMNS)
            connection.run(f"insert into {table} values ({values})")


def _rows(connection: Connection, sql: str) -> list[Any] | None:
    """Return the rows, sorted, or None if the server cannot run the query (some FULL JOINs)."""
    result = connection.execute(sql)
    if result.status not in _ROWS:
        return None
    return sorted(
        tuple(result.get_value(row, column) or b"NULL" for column in range(result.nfields))
        for row in range(result.ntuples)
    )


def _without(query: TypedQuery) -> Iterator[tuple[str, str]]:
    """Yield the query without its redundant work, if the text shows which part that is."""
    changes: dict[str, Callable[[exp.Expression, str], bool]] = {
        "V013": _never_joined,
        "V014": _not_distinct,
        "V015": _counts_rows,
    }
    for code, name in query.advice:
        tree = sqlglot.parse_one(query.sql, dialect="postgres")
        found = [node for node in list(tree.walk()) if changes[code](node, name)]
        if len(found) == 1:
            yield code, tree.sql(dialect="postgres")


def _never_joined(node: exp.Expression, name: str) -> bool:
    """Make an outer join find no row: each row of the other side stays, once."""
    if not isinstance(node, exp.Join) or node.side not in {"LEFT", "RIGHT"}:
        return False
    joined, query = node.this, node.parent
    if node.side == "RIGHT":
        first = query is not None and query.args["joins"][0] is node
        joined = query.args["from_"].this if query is not None and first else None
    if joined is None or joined.alias_or_name != name:
        return False
    node.set("on", exp.false())
    return True


def _not_distinct(node: exp.Expression, _name: str) -> bool:
    if not isinstance(node, exp.Select) or not node.args.get("distinct"):
        return False
    node.set("distinct", None)
    return True


def _counts_rows(node: exp.Expression, name: str) -> bool:
    if not isinstance(node, exp.Count) or not isinstance(node.this, exp.Column):
        return False
    if node.this.name != name:
        return False
    node.set("this", exp.Star())
    return True
