"""Queries described in groups: each gets its own response, wherever others are refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.postgres import Analyzer
from aiosqlc.postgres.describe import Described, describe, prepare_session
from aiosqlc.servers.postgres.connection import Connection, ServerError


@pytest.fixture
def connection(analyzer: Analyzer) -> Iterator[Connection]:
    server = analyzer.server(AnalyzeOptions())
    with Connection(server.admin) as connection:
        prepare_session(connection)
        yield connection


def _seen(answer: Described | ServerError) -> str:
    if isinstance(answer, ServerError):
        return answer.message
    assert answer.columns is not None
    name = answer.columns[0].name
    assert f":resname {name} " in answer.tree
    return name


@pytest.mark.parametrize(
    "refused",
    [(), (0,), (39,), (7, 8), (0, 1, 2, 3, 30), range(40), range(1, 40, 2)],
    ids=str,
)
def test_refused_queries_do_not_affect_those_beside_them(
    connection: Connection, refused: tuple[int, ...]
) -> None:
    queries = [f"select {'x' if n in refused else '1'} as c{n}" for n in range(40)]
    expected = ['column "x" does not exist' if n in refused else f"c{n}" for n in range(40)]
    assert [_seen(answer) for answer in describe(connection, queries)] == expected


def test_a_connection_is_usable_after_only_some_responses_were_read(connection: Connection) -> None:
    answers = describe(connection, [f"select {n} as c{n}" for n in range(100)])
    assert [_seen(next(answers)) for _ in range(3)] == ["c0", "c1", "c2"]
    answers.close()
    assert connection.rows("select 1") == [("1",)]
    [again] = describe(connection, ["select 2 as c"])
    assert _seen(again) == "c"
