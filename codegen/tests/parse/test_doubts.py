"""Warnings about texts that the server reads differently from their intention, on MySQL too."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiosqlc.diagnostics import Severity
from aiosqlc.parse.queries import parse_file
from aiosqlc.source import Dialect, SourceFile

# What stands behind SELECT on MySQL: the codes, and what the hints must say.
ON_MYSQL = {
    "id FROM t WHERE name LIKE '%@q%'": (["E126"], "CONCAT('%', sqlc.arg(q), '%')"),
    'id FROM t WHERE name LIKE "%@q%"': (["E126"], 'CONCAT("%", sqlc.arg(q), "%")'),
    "id FROM t WHERE name LIKE '%sqlc.arg(q)'": (["E126"], "CONCAT('%', sqlc.arg(q))"),
    "id FROM t WHERE name = '@q'": (["E126"], "without quotes: `sqlc.arg(q)`"),
    "id FROM t WHERE id IN (?)": (
        ["E125"],
        "`IN (sqlc.slice(ids))`; to compare with a single value, write `= ?`",
    ),
    "id FROM t WHERE id NOT IN (sqlc.arg(x))": (["E125"], "`NOT IN (sqlc.slice(x))`"),
    "id FROM t WHERE name LIKE '%a@b.de%' AND '@daily' AND id IN (1, ?)": ([], ""),
    "concat('x', '@invalid') FROM t WHERE a || '@invalid' = b": (["E127"], "concat(a, "),
    "id FROM t WHERE a = 'x' || b = 'y' || active": ([], ""),
    "id FROM t WHERE name LIKE '%$1%' AND id IN (SELECT ?)": ([], ""),
}


@pytest.mark.parametrize("sql", ON_MYSQL)
def test_a_parameter_that_is_none_or_one_is_a_warning_on_mysql(sql: str) -> None:
    file = SourceFile(Path("q.sql"), f"-- name: Q :many\nSELECT {sql};\n")
    queries, problems = parse_file(file, Dialect.MYSQL)
    codes, hint = ON_MYSQL[sql]
    assert len(queries) == 1
    assert [item.code for item in problems] == codes
    assert {item.severity for item in problems} <= {Severity.WARNING}
    assert all(hint in item.hint for item in problems)
