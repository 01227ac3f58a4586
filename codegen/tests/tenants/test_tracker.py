"""Each comparison of tenants in the tracker's queries is needed, or a foreign key implies it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg
from aiosqlc.ir import AnalyzeOptions, Tenant, TypedQuery
from aiosqlc.parse.queries import parse_file
from aiosqlc.postgres import Analyzer
from aiosqlc.schema import read_schema
from aiosqlc.source import Dialect, SourceFile, Span
from psycopg.raw_cursor import RawCursor

from tests.servers.postgres import TestPostgres

TRACKER = Path(__file__).parents[2] / "examples" / "tracker"
_INCLUDED = {
    "sqlc.include(visible, i)": "i.tenant_id = @tenant_id AND i.deleted_at IS NULL",
    "sqlc.include(document, i)": "to_tsvector('english', i.title || ' ' || i.body)",
}
_COMPARISON = re.compile(r"\b(?:\w+\.)?tenant_id = (?:@tenant_id|\w+\.tenant_id)\b")
FILLED = """
INSERT INTO tenant SELECT t, 't' FROM generate_series(1, 2) t;
INSERT INTO person (tenant_id, name, email) SELECT 1 + n % 2, 'a', n FROM generate_series(1, 8) n;
INSERT INTO project (tenant_id, name) SELECT 1 + n % 2, n FROM generate_series(1, 8) n;
INSERT INTO label (tenant_id, name) SELECT 1 + n % 2, n FROM generate_series(1, 8) n;
INSERT INTO issue (tenant_id, project_id, parent_id, author_id, assignee_id, title)
    SELECT 1 + n % 2, 1 + (n + 1) % 8, NULLIF(greatest(n - 2, 0), 0), 1 + (n + 3) % 8,
        1 + (n + 5) % 8, 'a' FROM generate_series(1, 8) n;
INSERT INTO issue_label SELECT 1 + n % 2, n, 1 + (n + 1) % 8 FROM generate_series(1, 8) n;
INSERT INTO comment (tenant_id, issue_id, author_id, body)
    SELECT 1 + n % 2, 1 + (n + 1) % 8, 1 + (n + 1) % 8, 'a' FROM generate_series(1, 8) n;
INSERT INTO attachment (tenant_id, comment_id, name, size)
    SELECT 1 + n % 2, 1 + (n + 1) % 8, 'a', n FROM generate_series(1, 8) n;
"""
_VALUES: dict[str, Any] = {
    "text": "a",
    "date": date(2026, 1, 1),
    "timestamptz": datetime(2026, 1, 1, tzinfo=UTC),
    "issue_status": "open",
}
TABLES = ("attachment", "comment", "issue_label", "issue", "label", "project", "person", "tenant")


def unchanged() -> Iterator[str]:
    """Yield the tracker's queries with their fragments, and without the forms of results."""
    for path in sorted(TRACKER.glob("queries/*.sql")):
        text = re.sub(r"-- fragment:.*?;", "", path.read_text(), flags=re.DOTALL)
        for query in re.split(r"(?=^-- name: )", text, flags=re.MULTILINE):
            if not query.startswith("-- name:"):
                continue
            whole = re.sub(r"^-- (?!name).*\n", "", query, flags=re.MULTILINE)
            for included, condition in _INCLUDED.items():
                whole = whole.replace(included, condition)
            whole = re.sub(r":page|:batchget\(\w+\)|:stream|:bulk", "", whole)
            yield re.sub(r"^(-- name: \w+) *$", r"\1 :many", whole, flags=re.MULTILINE)


def weakened() -> Iterator[str]:
    """Yield the tracker's queries, each without one comparison of tenants."""
    for whole in unchanged():
        for number, found in enumerate(_COMPARISON.finditer(whole)):
            less = f"{whole[: found.start()]}true{whole[found.end() :]}"
            yield re.sub(r"name: (\w+)", rf"name: \g<1>_{number}", less, count=1)


def analysed(analyzer: Analyzer, text: str) -> list[TypedQuery]:
    config = SourceFile(Path("sqlc.yaml"), "")
    files, problems = read_schema(TRACKER, ("migrations",), Dialect.POSTGRESQL, config, Span(0, 0))
    queries, found = parse_file(SourceFile(Path("q.sql"), text), Dialect.POSTGRESQL)
    assert not problems
    assert not found, found[0]
    options = AnalyzeOptions(tenant=Tenant("tenant_id", "tenant_id"))
    return list(analyzer.analyze(files, queries, options)[0].queries)


def value(query: TypedQuery, number: int) -> Any:
    param = next(p for p in query.params if p.number == number)
    if param.name == "tenant_id":
        return 1
    one: Any = _VALUES.get(param.type.name, 4)
    return [one] if param.type.array_dims or param.is_slice else one


def rows(connection: psycopg.Connection[Any], query: TypedQuery) -> list[str]:
    with connection.transaction(force_rollback=True), RawCursor(connection) as cursor:
        cursor.execute(query.sql, [value(query, p.number) for p in query.params])
        return sorted(map(repr, cursor.fetchall())) if cursor.description else []


def test_the_tracker_needs_each_comparison_that_no_foreign_key_implies(
    analyzer: Analyzer, postgres_server: TestPostgres
) -> None:
    texts = list(weakened())
    assert len(texts) > 50
    queries = analysed(analyzer, "\n".join(texts))
    assert len(queries) == len(texts)
    safe = [query for query in queries if not query.leaks]
    assert 0 < len(safe) < len(queries) / 3
    url = postgres_server.create_empty("tracker")
    with psycopg.connect(url, autocommit=True) as connection:
        for path in sorted(TRACKER.glob("migrations/*.sql")):
            connection.execute(path.read_bytes())
        connection.execute(FILLED.encode())
        beside = [rows(connection, query) for query in safe]
        for table in TABLES:
            connection.execute(f"DELETE FROM {table} WHERE tenant_id = 2".encode())
        alone = [rows(connection, query) for query in safe]
    postgres_server.drop(url)
    assert sum(map(len, alone)) > 10
    assert beside == alone
