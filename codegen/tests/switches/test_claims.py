"""A few texts of a query with nine optional conditions prove the same as all of its texts."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosqlc.ir import AnalyzeOptions, TypedQuery
from aiosqlc.mysql import analyze as analyze_mysql
from aiosqlc.parse import variants
from aiosqlc.parse.queries import parse_file
from aiosqlc.parse.statements import _last_seen
from aiosqlc.postgres import analyze as analyze_postgres
from aiosqlc.schema.read import schema_file
from aiosqlc.source import Dialect, SourceFile

from tests.servers.mysql import TestMysql
from tests.servers.postgres import TestPostgres

SCHEMA = """
CREATE TABLE t (
    id int PRIMARY KEY, name varchar(9) NOT NULL, n int, m int, k int NOT NULL, UNIQUE (k, name)
);
CREATE TABLE u (id int PRIMARY KEY, t_id int NOT NULL REFERENCES t (id), x int, y int NOT NULL);
"""
QUERIES = (
    "SELECT t.id, t.n, t.name FROM t WHERE {}",
    "SELECT t.n, u.y, u.x FROM t LEFT JOIN u ON u.t_id = t.id WHERE {}",
    "SELECT t.k, count(*) AS c, max(t.n) AS a, min(t.id) AS b FROM t WHERE {} GROUP BY t.k",
    "SELECT count(*) AS c, max(t.n) AS a, min(t.id) AS b, sum(t.k) AS s FROM t WHERE {}",
    "SELECT DISTINCT t.n, (SELECT max(u.y) FROM u WHERE u.t_id = t.id) AS a FROM t WHERE {}",
    "SELECT t.id, lag(t.k) OVER (ORDER BY t.id) AS l, row_number() OVER () AS r FROM t WHERE {}",
    "SELECT t.id, coalesce(t.n, t.m) AS a, t.n + t.k AS b FROM t WHERE {} ORDER BY t.id LIMIT 1",
    "SELECT s.a, s.b FROM (SELECT max(t.n) AS a, count(*) AS b FROM t) s, t WHERE {}",
)
BASES = ("", "t.n IS NOT NULL", "t.id = @key", "t.k > 0", "1 = 1", "t.name = @label AND t.n = t.m")
CONDITIONS = (
    "t.id = @id", "t.n = @n", "t.n IS NOT NULL", "t.n IS NULL", "t.k = @k", "t.m > @m",
    "t.name = @name", "1 = 1", "1 = 0", "(t.n = @a OR t.m = @b)", "t.id IN (SELECT u.t_id FROM u)",
    "NOT t.k = @c", "t.n = t.m", "t.id BETWEEN @d AND @e", "t.id = 1", "t.k IS NOT NULL",
)  # fmt: skip
CASES = [
    pytest.param(
        query,
        number,
        dialect,
        marks=() if (number, dialect) == (3, Dialect.POSTGRESQL) else pytest.mark.long,
        id=f"{dialect}-{number}",
    )
    for number, query in enumerate(QUERIES)
    for dialect in Dialect
]


def text_of(query: str, chance: random.Random) -> str:
    """Return the query with nine of the conditions as optional ones."""
    base = chance.choice(BASES)
    lines = [base] if base else []
    for number, condition in enumerate(chance.sample(CONDITIONS, 9)):
        lines.append(f"{'AND ' if lines else ''}{condition} -- :if {_switch(condition, number)}")
    filters = re.sub(r"@(\w+)", r"sqlc.arg(p_\1)", "\n  ".join(lines))
    head, _, tail = query.replace(" WHERE", "\nWHERE").partition(" {}")
    return f"-- name: Q :many\n{head} {filters}\n{tail}\n;\n"


def _switch(condition: str, number: int) -> str:
    """Return the names of a condition's parameters, or a flag."""
    return ", ".join(f"p_{name}" for name in re.findall(r"@(\w+)", condition)) or f"flag{number}"


def claims(text: str, dialect: Dialect, uri: str, most: int) -> tuple[tuple[object, ...], int]:
    """Return the facts proved of a query, and the number of texts used."""
    _last_seen.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(variants, "LIMIT", most)
        parsed, problems = parse_file(SourceFile(Path("q.sql"), text), dialect)
    assert problems == []
    schema = [schema_file(SourceFile(Path("schema.sql"), SCHEMA), dialect)]
    analyze = analyze_postgres if dialect is Dialect.POSTGRESQL else analyze_mysql
    analysis, found = analyze(schema, parsed, AnalyzeOptions(uri))
    assert [item for item in found if item.severity == "error"] == []
    return facts(analysis.queries[0]), len(parsed[0].variants)


def facts(query: TypedQuery) -> tuple[object, ...]:
    return (
        [(column.name, repr(column.type), column.not_null) for column in query.columns],
        sorted((param.name, repr(param.type), param.not_null) for param in query.params),
        query.cardinality,
    )


@pytest.fixture(scope="module")
def urls(postgres_server: TestPostgres, mysql_server: TestMysql) -> Iterator[dict[Dialect, str]]:
    url = postgres_server.create_empty()
    yield {Dialect.POSTGRESQL: url, Dialect.MYSQL: mysql_server.url}
    postgres_server.drop(url)


@pytest.mark.parametrize(("query", "number", "dialect"), CASES)
def test_few_texts_prove_what_all_texts_prove(
    query: str, number: int, dialect: Dialect, urls: dict[Dialect, str]
) -> None:
    text = text_of(query, random.Random(number))
    few, checked = claims(text, dialect, urls[dialect], 256)
    every, listed = claims(text, dialect, urls[dialect], 512)
    assert (checked, listed) == (11, 512)
    assert few == every
