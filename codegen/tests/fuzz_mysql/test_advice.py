"""Parts that `vet` calls redundant on MySQL change no row if they are left out."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pymysql
import pytest
from aiosqlc.mysql.advice import Advice, advice_of
from aiosqlc.mysql.reader import Reader
from aiosqlc.mysql.relations import Schema
from aiosqlc.mysql.static import schema_from_files
from aiosqlc.mysql.syntax import parse
from aiosqlc.schema.read import schema_file
from aiosqlc.source import Dialect, SourceFile
from sqlglot import exp

from tests.conftest import Full
from tests.servers.mysql import TestMysql, connect_arguments

SCHEMA = """\
CREATE TABLE k (id int PRIMARY KEY, a int, b int NOT NULL, c int);
CREATE TABLE u (id int NOT NULL, a int UNIQUE, b int NOT NULL, c int UNIQUE);
CREATE TABLE n (id int, a int NOT NULL, b int, c int NOT NULL, UNIQUE (a, c));
CREATE TABLE w (
    id varchar(9) COLLATE utf8mb4_general_ci PRIMARY KEY, a int NOT NULL,
    b varchar(9) COLLATE utf8mb4_bin, c varchar(9) COLLATE utf8mb4_general_ci
);
CREATE VIEW v AS SELECT k.id, k.a, u.b, u.c FROM k LEFT JOIN u ON u.a = k.a;
"""
TABLES, COLUMNS = ("k", "u", "n", "w", "v"), ("id", "a", "b", "c")
FOUND = {
    "V013": (
        "SELECT k.id FROM k LEFT JOIN u ON u.a = k.a",
        "SELECT k.id AS total FROM k LEFT JOIN u ON u.a = k.a AND u.b > 1 ORDER BY total",
        "SELECT k.id FROM u RIGHT JOIN k ON u.a = k.a",
        "SELECT k.id FROM k LEFT JOIN (SELECT a FROM n GROUP BY a) x ON x.a = k.id",
        "WITH x AS (SELECT k.id FROM k LEFT JOIN u ON u.a = k.a) SELECT id FROM x",
        "SELECT COUNT(*) FROM k LEFT JOIN n ON n.a = k.a AND n.c = k.b WHERE k.a > 1",
    ),
    "V014": (
        "SELECT DISTINCT id, a FROM k",
        "SELECT DISTINCT a, COUNT(*) FROM k GROUP BY a",
        "SELECT DISTINCT MAX(id) FROM k",
        "SELECT DISTINCT k.id, u.a, u.id FROM k JOIN u ON u.a = k.a",
        "SELECT x FROM (SELECT DISTINCT id AS x FROM w) q WHERE x = 'a'",
    ),
    "V015": (
        "SELECT COUNT(id) FROM k",
        "SELECT a, COUNT(k.b) FROM k GROUP BY a",
        "SELECT a FROM k GROUP BY a HAVING COUNT(id) > 2",
        "SELECT COUNT(a) FROM k WHERE a > 1",
    ),
}
FINE = (
    "SELECT k.id FROM k LEFT JOIN n ON n.a = k.a",
    "SELECT k.id, u.b FROM k LEFT JOIN u ON u.a = k.a",
    "SELECT * FROM k LEFT JOIN u ON u.a = k.a",
    "SELECT k.id FROM k LEFT JOIN u ON u.a = k.a WHERE u.a IS NULL",
    "SELECT k.id FROM k LEFT JOIN u ON u.a = k.a ORDER BY u.b",
    "SELECT k.id FROM k LEFT JOIN u ON u.a = k.a LEFT JOIN n ON n.id = u.id",
    "SELECT (SELECT MAX(c) FROM n WHERE n.a = u.b) FROM k LEFT JOIN u ON u.a = k.a",
    "SELECT k.id FROM k LEFT JOIN u ON u.a = k.a + FLOOR(RAND())",
    "SELECT k.id FROM k LEFT JOIN u ON u.a = k.a AND SLEEP(k.b) = 0",
    "SELECT k.id FROM k LEFT JOIN u ON u.a = k.a FOR UPDATE",
    "SELECT k.id FROM k LEFT JOIN w ON w.id = k.a",
    "SELECT k.id FROM k LEFT JOIN u USING (a)",
    "SELECT u.id FROM k JOIN u ON u.a = k.a",
    "SELECT DISTINCT a FROM k",
    "SELECT DISTINCT c FROM u",
    "SELECT DISTINCT LOWER(id) FROM w",
    "SELECT DISTINCT COUNT(*) FROM k GROUP BY a",
    "SELECT DISTINCT a, id FROM k GROUP BY a, id WITH ROLLUP",
    "SELECT DISTINCT id COLLATE utf8mb4_unicode_ci FROM w",
    "SELECT COUNT(a), COUNT(DISTINCT id), COUNT(*), COUNT(1), SUM(id) FROM k",
    "SELECT COUNT(u.id) FROM k LEFT JOIN u ON u.a = k.a WHERE k.a > 1 OR u.b > 1",
    "INSERT INTO k (id, b) VALUES (1, 1)",
)
# The fewest executions of each rule: with fewer, the test shows nothing.
FEWEST = 40


@pytest.fixture(scope="module")
def schema() -> Schema:
    file = schema_file(SourceFile(Path("schema.sql"), SCHEMA), Dialect.MYSQL)
    return schema_from_files([file])[0]


def _advice(sql: str, schema: Schema) -> list[Advice]:
    tree = parse(sql)
    assert tree is not None, sql
    reader = Reader(schema, tree)
    reader.read()
    return list(advice_of(reader))


@pytest.mark.parametrize(("code", "sql"), [(c, sql) for c, texts in FOUND.items() for sql in texts])
def test_redundant_work_is_found(code: str, sql: str, schema: Schema) -> None:
    assert {found for found, _ in _advice(sql, schema)} == {code}


@pytest.mark.parametrize("sql", FINE)
def test_necessary_work_is_not_reported(sql: str, schema: Schema) -> None:
    assert _advice(sql, schema) == []


def test_redundant_work_changes_no_row_if_it_is_left_out(
    mysql_server: TestMysql, schema: Schema, full: Full
) -> None:
    r = random.Random(20)
    texts = [_query(r) for _ in range(full(5_000, sample=1_200))]
    advised = [(sql, found) for sql in texts if (found := _advice(sql, schema))]
    tried: Counter[str] = Counter()
    url = mysql_server.create_empty("advice")
    with closing(pymysql.connect(**connect_arguments(url))) as connection:
        cursor = connection.cursor()
        for statement in filter(str.strip, SCHEMA.split(";\n")):
            cursor.execute(statement)
        for _ in range(3):
            _fill(cursor, r)
            for sql, found in advised:
                for code, without in _without(sql, found):
                    assert _rows(cursor, without) == _rows(cursor, sql), (code, sql, without)
                    tried[code] += 1
    assert all(tried[code] >= FEWEST for code in FOUND), tried


def _query(r: random.Random) -> str:
    aliases = ["x", "y", "z"][: r.choice([1, 1, 2, 2, 3])]
    sources = _source(r, "x")
    for number, alias in enumerate(aliases[1:], 1):
        word = r.choice(["LEFT JOIN"] * 4 + ["JOIN", "RIGHT JOIN"])
        sources += f" {word} {_source(r, alias)} ON {_condition(r, alias, aliases[:number])}"
    where = f" WHERE {_condition(r, r.choice(aliases), aliases)}" if r.random() < 0.4 else ""
    shown = r.sample(aliases, r.choice([1, 1, len(aliases)]))
    picked = [f"{r.choice(shown)}.{r.choice(COLUMNS)}" for _ in range(r.choice([1, 2, 2, 3]))]
    columns = list(dict.fromkeys(picked))
    distinct = "DISTINCT " if r.random() < 0.5 else ""
    if r.random() < 0.35:
        grouped = columns if r.random() < 0.6 else []
        keys = f" GROUP BY {', '.join(grouped)}" if grouped else ""
        listed = r.sample(grouped, r.randint(0, len(grouped)))
        listed.append(f"COUNT({'DISTINCT ' * (r.random() < 0.2)}{r.choice(columns)})")
        return f"SELECT {distinct}{', '.join(listed)} FROM {sources}{where}{keys}"
    named = ", ".join(f"{column} AS c{number}" for number, column in enumerate(columns))
    return f"SELECT {distinct}{named} FROM {sources}{where}"


def _source(r: random.Random, alias: str) -> str:
    table = r.choice(TABLES)
    kinds = [
        table,
        table,
        table,
        f"(SELECT a AS id, MAX(b) AS a, COUNT(*) AS b, MIN(c) AS c FROM {table} GROUP BY a)",
        f"(SELECT * FROM {table} ORDER BY id, a, b, c LIMIT 1)",
        f"(SELECT DISTINCT id, a, id AS b, a AS c FROM {table})",
    ]
    return f"{r.choice(kinds)} {alias}"


def _condition(r: random.Random, alias: str, others: list[str]) -> str:
    parts = []
    for _ in range(r.choice([1, 1, 2])):
        left = f"{alias}.{r.choice(['id', 'id', *COLUMNS])}"
        other = f"{r.choice(others)}.{r.choice(COLUMNS)}"
        forms = [f"= {other}"] * 4
        forms += ["= 1", "IS NOT NULL", f"<=> {other}", f">= {other}", "> 1"]
        parts.append(f"{left} {r.choice(forms)}")
    return " AND ".join(parts)


def _fill(cursor: Any, r: random.Random) -> None:
    for table in TABLES[:-1]:
        cursor.execute(f"DELETE FROM {table}")
        texts = table == "w"
        for _ in range(r.randrange(12)):
            values = [r.choice(["NULL", "NULL", "0", "1", "2", "3"]) for _ in COLUMNS]
            if texts:
                words = ["'a'", "'A'", "'a '", "'1'", "'01'", "'ä'", "NULL"]
                values = [r.choice(words), values[1], r.choice(words), r.choice(words)]
            cursor.execute(f"INSERT IGNORE INTO {table} VALUES ({', '.join(values)})")


def _rows(cursor: Any, sql: str) -> list[str]:
    """Return the rows; if MariaDB treats texts as equal, it may return any of them."""
    cursor.execute(sql)
    return sorted(repr([_folded(value) for value in row]) for row in cursor.fetchall())


def _folded(value: object) -> object:
    return value.casefold().rstrip().replace("ä", "a") if isinstance(value, str) else value


def _without(sql: str, found: list[Advice]) -> Iterator[tuple[str, str]]:
    """Yield the query without its redundant work, if the text shows which part that is."""
    changes: dict[str, Callable[[exp.Expr, str], bool]] = {
        "V013": _joins_nothing,
        "V014": _not_distinct,
        "V015": _counts_rows,
    }
    for code, name in found:
        tree = parse(sql)
        assert tree is not None
        root = tree.root.copy()  # `parse` keeps its trees
        changed = [node for node in list(root.walk()) if changes[code](node, name)]
        if len(changed) == 1:
            yield code, root.sql(dialect="mysql")


def _joins_nothing(node: exp.Expr, name: str) -> bool:
    """Give an outer join a false condition, so that each row of the other side stays once."""
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


def _not_distinct(node: exp.Expr, _name: str) -> bool:
    if not isinstance(node, exp.Select) or not node.args.get("distinct"):
        return False
    node.set("distinct", None)
    return True


def _counts_rows(node: exp.Expr, name: str) -> bool:
    if not isinstance(node, exp.Count) or not isinstance(node.this, exp.Column):
        return False
    if node.this.name != name:
        return False
    node.set("this", exp.Star())
    return True
