"""Compare the answers of proved statements with and without the rows of other tenants."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import psycopg
from aiosqlc.ir import Tenant, TypedQuery
from aiosqlc.postgres import Analyzer
from psycopg.raw_cursor import RawCursor

from tests.tenants.asking import typed
from tests.tenants.grammar import SCHEMA, Grammar

_TENANT = Tenant("tenant_id", "tenant_id")
_OTHERS = (
    "SELECT p::text FROM project p WHERE tenant_id IS DISTINCT FROM 1 UNION ALL"
    " SELECT i::text FROM issue i WHERE tenant_id IS DISTINCT FROM 1 UNION ALL"
    " SELECT c::text FROM comment c JOIN issue i ON i.id = c.issue_id"
    " WHERE i.tenant_id IS DISTINCT FROM 1 UNION ALL"
    " SELECT r::text FROM reply r JOIN comment c ON c.id = r.comment_id"
    " JOIN issue i ON i.id = c.issue_id WHERE i.tenant_id IS DISTINCT FROM 1 UNION ALL"
    " SELECT p::text FROM person p ORDER BY 1"
)
_REMOVED = (
    """DELETE FROM reply r USING comment c, issue i WHERE r.comment_id = c.id
    AND i.id = c.issue_id AND i.tenant_id <> 1""",
    "DELETE FROM comment c USING issue i WHERE i.id = c.issue_id AND i.tenant_id <> 1",
    "DELETE FROM issue WHERE tenant_id <> 1",
    "DELETE FROM project WHERE tenant_id <> 1",
    """DELETE FROM person p WHERE NOT EXISTS (SELECT FROM issue WHERE assignee = p.id)
    AND NOT EXISTS (SELECT FROM comment WHERE author = p.id)""",
)
_ROWS, _PERSONS, _TENANTS = 6, 3, 2


@dataclass
class Tally:
    """The counts of a fuzz, and the statements whose answers differ."""

    statements: int = 0
    refused: int = 0
    proved: int = 0
    executions: int = 0
    rows: int = 0
    failed: int = 0
    different: list[str] = field(default_factory=list)

    def report(self) -> str:
        """Return the counts and the first differences."""
        share = self.proved / max(1, self.statements - self.refused)
        return "\n".join([
            f"{self.statements} statements, {self.refused} refused by the server",
            f"{self.proved} proved ({share:.1%} of the others)",
            f"{self.executions} executions, {self.failed} failed, {self.rows} rows",
            f"DIFFERENT: {len(self.different)}",
            *self.different[:10],
        ])  # fmt: skip


def fill(connection: psycopg.Connection[Any], random: Random) -> None:
    """Fill the tables with rows of three tenants, whose references stay within a tenant."""
    connection.execute("TRUNCATE person, project, issue, comment, reply")
    tenants = [random.randint(1, _TENANTS) for _ in range(_ROWS)]

    def some(*choices: object) -> object:
        return random.choice((None, *choices)) if random.random() < 0.2 else random.choice(choices)

    def beside(number: int, owners: list[int]) -> list[int]:
        return [n for n, owner in enumerate(owners) if owner == number]

    with connection.cursor() as cursor:
        people = [(n, some(0, 1, 2)) for n in range(_PERSONS)]
        cursor.executemany("INSERT INTO person VALUES (%s, %s)", people)
        projects = [(n, t, n) for n, t in enumerate(tenants)]
        cursor.executemany("INSERT INTO project VALUES (%s, %s, %s)", projects)
        owners = [random.choice(tenants) for _ in range(_ROWS)]
        issues = [
            (n, t, some(0, 1, 2), some(*beside(t, tenants)), some(*range(_PERSONS)))
            for n, t in enumerate(owners)
        ]
        cursor.executemany("INSERT INTO issue VALUES (%s, %s, %s, %s, %s)", issues)
        of = [random.randrange(_ROWS) for _ in range(_ROWS)]
        comments = [(n, i, some(*range(_PERSONS)), n) for n, i in enumerate(of)]
        cursor.executemany("INSERT INTO comment VALUES (%s, %s, %s, %s)", comments)
        replies = [(n, random.randrange(_ROWS), some(0, 1, 2)) for n in range(_ROWS)]
        cursor.executemany("INSERT INTO reply VALUES (%s, %s, %s)", replies)


class _Undo(Exception):  # noqa: N818 - no error: it ends a transaction
    pass


def _answer(
    connection: psycopg.Connection[Any], query: TypedQuery, values: list[int], *, watched: bool
) -> tuple[object, object]:
    """Return the sorted rows, or None for an error; and the others' rows after it."""
    found: object = None
    after: object = None
    try:
        with connection.transaction(force_rollback=True), RawCursor(connection) as cursor:
            cursor.execute(query.sql.encode(), values)
            rows = cursor.fetchall() if cursor.description else []
            found = sorted(map(repr, rows)), cursor.rowcount
            if watched:
                after = connection.execute(_OTHERS).fetchall()
    except psycopg.Error:
        pass
    return found, after


def fuzz(statements: int, datasets: int, seed: int, url: str, folder: Path) -> Tally:
    """Make statements, and run the proved ones on random rows."""
    random, tally = Random(seed), Tally(statements=statements)
    grammar = Grammar(random)
    texts = [grammar.statement() for _ in range(statements)]
    text = "".join(f"-- name: Q{n} :exec\n{t};\n\n" for n, t in enumerate(texts))
    with Analyzer() as analyzer:
        queries = typed(analyzer, SCHEMA, text, folder, _TENANT)
    tally.refused = statements - len(queries)
    proved = [query for query in queries.values() if not query.leaks]
    tally.proved = len(proved)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA.encode())
        for _ in range(datasets):
            fill(connection, random)
            before = connection.execute(_OTHERS).fetchall()
            calls = [(query, _values(query, random)) for query in proved]
            with connection.transaction(force_rollback=True):
                beside = [
                    _answer(connection, query, values, watched=bool(query.writes))
                    for query, values in calls
                ]
            with connection.transaction(force_rollback=True):
                for statement in _REMOVED:
                    connection.execute(statement)
                alone = [_answer(connection, q, v, watched=False)[0] for q, v in calls]
            for (query, values), (found, after), other in zip(calls, beside, alone, strict=True):
                tally.executions += 2
                tally.failed += (found is None) + (other is None)
                tally.rows += len(found[0]) if isinstance(found, tuple) else 0
                if found is None or other is None:  # constraints look at all rows
                    continue
                # A row that another tenant's row keeps away is no answer about it.
                same = found == other or "DO NOTHING" in query.sql
                if not same or after not in (None, before):
                    tally.different.append(f"{query.sql}\n  {values}\n  {found}\n  {other}")
    return tally


def _values(query: TypedQuery, random: Random) -> list[int]:
    known = {"tenant_id": 1, "new": random.choice((0, 100))}
    return [known.get(p.name, random.randrange(_ROWS)) for p in query.params]
