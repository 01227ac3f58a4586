"""Both engines prove the same facts of the same 23 queries."""

from __future__ import annotations

import pytest
from aiosqlc.ir import Cardinality, TypedQuery
from aiosqlc.postgres import Analyzer

from tests.mysql.conftest import Compile, only
from tests.proofs.judge import World, claims_of

SCHEMA = """
CREATE TABLE t (id int PRIMARY KEY, a int, b int, tenant int NOT NULL, x int NOT NULL);
CREATE TABLE p (id int PRIMARY KEY, x int NOT NULL, name varchar(9));
"""
ROWS = {
    Cardinality.ONE: "1",
    Cardinality.ZERO_OR_ONE: "at most 1",
    Cardinality.SOME: "at least 1",
    Cardinality.MANY: "any",
}
# Of each query: whether its first column is never NULL, and the number of its rows.
PROBES = {
    # Conditions with three outcomes.
    "SELECT a FROM t WHERE NOT (a IS NULL OR b IS NULL)": "value, any",
    "SELECT a FROM t WHERE (a = 1 OR a = 2) IS TRUE": "value, any",
    "SELECT a FROM t WHERE coalesce(a > 1, false)": "value, any",
    "SELECT a FROM t WHERE a = 1 OR b = 2": "NULL, any",
    "SELECT a FROM t WHERE a BETWEEN 1 AND 5": "value, any",
    # Facts on expressions.
    "SELECT nullif(a, 0) AS v FROM t WHERE nullif(a, 0) IS NOT NULL": "value, any",
    "SELECT nullif(a, 1) AS v FROM t WHERE nullif(a, 0) IS NOT NULL": "NULL, any",
    # Keys through sub-selects.
    "SELECT q.a FROM (SELECT id, a FROM t) q WHERE q.id = 3": "NULL, at most 1",
    "WITH q AS (SELECT id, a FROM t) SELECT a FROM q WHERE id = 3": "NULL, at most 1",
    "SELECT x FROM p WHERE id = (SELECT max(id) FROM t)": "value, at most 1",
    "SELECT DISTINCT tenant FROM t WHERE tenant = 3": "value, at most 1",
    "SELECT p.x FROM p JOIN t ON t.id = p.id WHERE p.id = 3": "value, at most 1",
    "SELECT x FROM p WHERE x = 3": "value, any",
    # Aggregates.
    "SELECT max(x) AS v FROM t HAVING count(*) > 0": "value, at most 1",
    "SELECT max(n) AS v FROM (SELECT 1 AS n) q": "value, 1",
    "SELECT max(x) AS v FROM t": "NULL, 1",
    "SELECT max(x) AS v FROM t GROUP BY tenant": "value, any",
    # Recursion.
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5)"
    " SELECT n FROM r": "value, at least 1",
    # Frames.
    "SELECT sum(x) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) AS v FROM t": "value, any",
    "SELECT sum(x) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING) AS v FROM t":
    "NULL, any",
    # Constants.
    "SELECT coalesce(CASE WHEN 1 = 1 THEN 1 END) AS v FROM t": "value, any",
    # Outer joins and set operations.
    "SELECT p.x FROM t LEFT JOIN p ON p.id = t.a WHERE p.name = 'x'": "value, any",
    "SELECT x FROM t UNION ALL SELECT a FROM t": "NULL, any",
}  # fmt: skip


def said_of(query: TypedQuery) -> str:
    """Return the claims about a query in the notation of the table."""
    value = "value" if query.columns[0].not_null else "NULL"
    return f"{value}, {ROWS[query.cardinality]}"


@pytest.fixture(scope="module")
def by_postgres() -> dict[str, TypedQuery]:
    """Infer the claims of PostgreSQL's rules on each query."""
    world = World(tuple(s.strip() for s in SCHEMA.split(";") if s.strip()))
    with Analyzer() as analyzer:
        typed, problems = claims_of(analyzer, world, list(PROBES))
    assert not problems
    return typed


def test_there_are_23_probes() -> None:
    assert len(PROBES) == 23


@pytest.mark.parametrize(("sql", "said"), PROBES.items())
def test_postgresql_proves_this_of_the_query(
    sql: str, said: str, by_postgres: dict[str, TypedQuery]
) -> None:
    assert said_of(by_postgres[sql]) == said


@pytest.mark.parametrize(("sql", "said"), PROBES.items())
def test_mysql_and_mariadb_prove_the_same_of_the_query(
    sql: str, said: str, compile_text: Compile
) -> None:
    assert said_of(only(compile_text(SCHEMA, f"-- name: Q :many\n{sql};\n"))) == said
