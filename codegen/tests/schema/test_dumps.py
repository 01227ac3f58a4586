"""Output of migration tools in one file is a valid schema: each queries its own tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.ir import AnalyzeOptions, TypedQuery
from aiosqlc.parse.queries import parse_files
from aiosqlc.postgres import Analyzer
from aiosqlc.schema.read import schema_file
from aiosqlc.source import Dialect, SourceFile

from tests.mysql.conftest import Compile, compile_, mysql_cache  # noqa: F401  # fixtures

QUERIES = """
-- name: ListAccounts :many
SELECT id, email, state, created_at FROM account;
-- name: ListNotes :many
SELECT note.id, body, email FROM note LEFT JOIN account ON account.id = note.account_id;
-- name: AddAccount :exec
INSERT INTO account (email, state) VALUES (?, 'open');
"""
NOT_NULL = {
    "ListAccounts": {"id": True, "email": True, "state": True, "created_at": False},
    "ListNotes": {"id": True, "body": False, "email": False},
    "AddAccount": {},
}

DUMPS = Path(__file__).parent / "dumps"
"""The output of each tool by engine: `alembic upgrade head --sql`, `structure.sql`, a dump."""


def _files(engine: Dialect) -> list[Path]:
    return sorted((DUMPS / engine.value).glob("*.sql"))


@pytest.mark.parametrize("dump", _files(Dialect.POSTGRESQL), ids=lambda path: path.stem)
def test_a_file_of_a_tool_for_postgresql_is_a_schema(dump: Path, analyzer: Analyzer) -> None:
    file = schema_file(SourceFile(Path("structure.sql"), dump.read_text()))
    text = QUERIES.replace("?", "$1")
    queries, found = parse_files([SourceFile(Path("q.sql"), text)], Dialect.POSTGRESQL)
    analysis, problems = analyzer.analyze([file], queries, AnalyzeOptions())
    assert not [*found, *problems]
    assert _not_null(analysis.queries) == NOT_NULL


@pytest.mark.parametrize("dump", _files(Dialect.MYSQL), ids=lambda path: path.stem)
def test_a_file_of_a_tool_for_mysql_is_a_schema(dump: Path, compile_: Compile) -> None:  # noqa: F811
    queries, problems = compile_(dump.read_text(), QUERIES)
    assert not problems
    assert _not_null(queries) == NOT_NULL


def _not_null(queries: tuple[TypedQuery, ...]) -> dict[str, dict[str, bool]]:
    return {q.parsed.name: {c.name: c.not_null for c in q.columns} for q in queries}
