"""The check of literals as parameters: correct results, and detected errors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from aiosqlc.mysql import types
from msgspec.structs import replace

from tests.inputs_mysql.literals import judge
from tests.inputs_mysql.server import Asked
from tests.servers.programs import program

TABLES = [
    "CREATE TABLE t (id int PRIMARY KEY, s varchar(9) NOT NULL)",
    "INSERT INTO t VALUES (1, 'a'), (2, '2.0'), (1234, '0')",
]


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    program("mariadbd", "mysqld")
    with closing(Asked(tmp_path_factory.mktemp("literals"))) as asked:
        yield asked


def _said(asked: Asked, *statements: str) -> list[str]:
    return [verdict.said for verdict in judge(asked, [*TABLES, *statements])]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM t WHERE id = 2",
        "SELECT id FROM t WHERE s = '2.0'",
        "SELECT id FROM t WHERE s = 0",
        "SELECT id FROM t WHERE FORMAT(id, 0) > 2",
    ],
)
def test_a_literal_and_its_parameter_answer_alike(asked: Asked, sql: str) -> None:
    assert "false" not in _said(asked, sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM t ORDER BY id LIMIT 1",
        "SELECT COALESCE(NULLIF(id, id), 5) AS x FROM t",
    ],
)
def test_a_number_that_is_claimed_to_be_a_text_is_false(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    typed = Asked.typed

    def as_text(self: Asked, text: str) -> Any:
        query, errors = typed(self, text)
        params = (
            tuple(replace(param, type=types.VARCHAR) for param in query.params) if query else ()
        )
        return query and replace(query, params=params), errors

    monkeypatch.setattr(Asked, "typed", as_text)
    assert "false" in _said(asked, sql)


def test_statements_about_the_servers_own_database_are_left_out(asked: Asked) -> None:
    assert _said(asked, "DROP DATABASE mysql", "SELECT id FROM t WHERE id = 2") == ["right"]


@pytest.mark.parametrize(
    "left",
    [
        "SET SESSION TRANSACTION READ ONLY",
        "SET tx_read_only = 1",
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY",
    ],
)
def test_a_session_that_only_reads_does_not_stop_the_tests(asked: Asked, left: str) -> None:
    made = "CREATE TABLE later (id int)"
    reads = ["SELECT id FROM later WHERE id = 2", "SELECT id FROM t WHERE id = 2"]
    assert _said(asked, left, made, *reads) == ["right", "right"]
    assert _said(asked, "SELECT id FROM t WHERE id = 2") == ["right"]
