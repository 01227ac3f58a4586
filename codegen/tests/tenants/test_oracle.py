"""A proved query returns the same with and without other tenants' rows, and changes none."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import psycopg
import pytest
from aiosqlc.ir import TypedQuery
from aiosqlc.postgres import Analyzer
from psycopg.raw_cursor import RawCursor

from tests.servers.postgres import TestPostgres
from tests.tenants.asking import typed
from tests.tenants.queries import KEPT, SCHEMA

_OTHERS = (
    "SELECT p::text FROM project p WHERE tenant_id <> 1 UNION ALL"
    " SELECT i::text FROM issue i WHERE tenant_id <> 1 UNION ALL"
    " SELECT c::text FROM comment c JOIN issue i ON i.id = c.issue_id WHERE i.tenant_id <> 1"
    " ORDER BY 1"
)
_REMOVED = (
    "DELETE FROM comment c USING issue i WHERE i.id = c.issue_id AND i.tenant_id <> 1",
    "DELETE FROM issue WHERE tenant_id <> 1",
    "DELETE FROM project WHERE tenant_id <> 1",
)
_IDS = 12


def fill(connection: psycopg.Connection[Any], random: Random) -> None:
    """Insert rows of three tenants into the tables; references stay within a tenant."""
    connection.execute("TRUNCATE country, project, issue, comment")
    connection.execute("INSERT INTO country VALUES ('a', 'A'), ('b', 'B')")
    projects: dict[int, list[int]] = {}
    issues: dict[int, list[int]] = {}
    for number in range(1, _IDS):
        tenant = random.randint(1, 3)
        projects.setdefault(tenant, []).append(number)
        row = number, tenant, f"n{number}", random.choice(["a", "b", None])
        connection.execute("INSERT INTO project VALUES (%s, %s, %s, %s)", row)
    for number in range(1, _IDS):
        tenant = random.choice(list(projects))
        parent = random.choice([None, *issues.get(tenant, [])])
        row = number, tenant, f"t{number}", random.choice(projects[tenant]), parent
        connection.execute("INSERT INTO issue VALUES (%s, %s, %s, %s, %s)", row)
        issues.setdefault(tenant, []).append(number)
    for number in range(1, _IDS):
        issue = random.randint(1, _IDS - 1)
        connection.execute("INSERT INTO comment VALUES (%s, %s, 'c')", (number, issue))


def answer(connection: psycopg.Connection[Any], query: TypedQuery, values: list[Any]) -> object:
    """Return a query's rows in a fixed order, or the class of the server's error."""
    try:
        with connection.transaction(), RawCursor(connection) as cursor:
            cursor.execute(query.sql, values)
            rows = cursor.fetchall() if cursor.description else []
            return sorted(map(repr, rows)), cursor.rowcount
    except psycopg.errors.IntegrityError as error:
        return type(error)


def value(query: TypedQuery, number: int, random: Random) -> Any:
    param = next(p for p in query.params if p.number == number)
    if param.name == "tenant_id":
        return 1
    return f"n{random.randint(1, _IDS)}" if param.type.name == "text" else random.randint(1, _IDS)


@pytest.mark.parametrize("seed", range(12))
def test_a_proved_query_does_not_depend_on_other_tenants(
    seed: int, analyzer: Analyzer, postgres_server: TestPostgres, tmp_path: Path
) -> None:
    queries = typed(analyzer, SCHEMA, KEPT, tmp_path)
    random = Random(seed)
    url = postgres_server.create_empty("tenants")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA.encode())
        fill(connection, random)
        for query in queries.values():
            assert not query.leaks
            for _ in range(3):
                values = [value(query, p.number, random) for p in query.params]
                with connection.transaction(force_rollback=True):
                    before = connection.execute(_OTHERS).fetchall()
                    beside = answer(connection, query, values)
                    assert connection.execute(_OTHERS).fetchall() == before, query.parsed.name
                with connection.transaction(force_rollback=True):
                    for statement in _REMOVED:
                        connection.execute(statement)
                    alone = answer(connection, query, values)
                # Constraints look at all rows: a key may be taken, a foreign one may be known.
                if not {psycopg.errors.UniqueViolation, psycopg.errors.ForeignKeyViolation} & {
                    outcome for outcome in (beside, alone) if isinstance(outcome, type)
                }:
                    assert beside == alone, query.parsed.name
    postgres_server.drop(url)
