"""Statements sent in one round trip: each gets a response, and an error stops only its group."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiosqlc.ir import AnalyzeOptions
from aiosqlc.postgres import Analyzer
from aiosqlc.postgres.population import Attempts, answered, undone
from aiosqlc.servers.postgres.connection import Connection, ConnectionFailedError
from psycopg import pq

_INSERT = "insert into t values ($1::int)"


@pytest.fixture
def connection(analyzer: Analyzer) -> Iterator[Connection]:
    server = analyzer.server(AnalyzeOptions())
    with Connection(server.admin) as connection:
        connection.run("begin; create temp table t (n int primary key)")
        yield connection
        connection.run("rollback")


def _numbers(connection: Connection) -> list[str | None]:
    return [row[0] for row in connection.rows("select n::text from t order by n")]


def test_pipeline_skips_the_rest_of_a_group_after_a_refused_statement(
    connection: Connection,
) -> None:
    answers = connection.pipelined(
        [
            [("savepoint s", ()), (_INSERT, ("1",))],
            [(_INSERT, ("1",)), (_INSERT, ("2",))],
            [("rollback to s", ())],
            [(_INSERT, ("3",))],
        ]
    )
    refused, skipped = answers[1]
    assert refused.error_field(pq.DiagnosticField.SQLSTATE) == b"23505"
    assert skipped.status == pq.ExecStatus.PIPELINE_ABORTED
    assert answered(answers[2][0])
    assert answered(answers[3][0])
    assert _numbers(connection) == ["3"]


def test_undone_statements_meet_the_same_rows(connection: Connection) -> None:
    connection.run("insert into t values (0)")
    statements = [(_INSERT, (str(n % 3),)) for n in range(120)]  # more than are sent at once
    results = list(undone(connection, statements))
    assert [answered(result) for result in results] == [n % 3 != 0 for n in range(120)]
    assert _numbers(connection) == ["0"]


@pytest.mark.parametrize(
    ("numbers", "kept"),
    [("", "0"), ("1", "0 1"), ("0", "0"), ("1 0 2 2 0", "0 1 2"), ("0 0 3", "0 3")],
)
def test_attempts_keep_only_what_the_server_takes(
    connection: Connection, numbers: str, kept: str
) -> None:
    connection.run("insert into t values (0)")
    attempts = Attempts(connection)
    taken = [n for n in numbers.split() if answered(attempts.run(_INSERT, (n,)))]
    attempts.end()
    assert ["0", *taken] == kept.split() == _numbers(connection)
    assert connection.run("rollback to attempt") is not None  # nothing is left behind


def test_an_attempt_costs_one_round_trip(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection.run("insert into t values (0)")
    trips: list[str] = []

    def counted(name: str) -> Callable[..., Any]:
        sent = getattr(connection, name)

        def send(*args: Any) -> Any:
            trips.append(name)
            return sent(*args)

        return send

    for name in ("execute", "pipelined"):
        monkeypatch.setattr(connection, name, counted(name))
    attempts = Attempts(connection)
    for number in "0102030405":
        attempts.run(_INSERT, (number,))
    attempts.end()
    assert len(trips) == len("0102030405") + 1


def test_pipeline_reports_a_lost_connection(analyzer: Analyzer) -> None:
    lost = "select pg_terminate_backend(pg_backend_pid())"
    with (
        Connection(analyzer.server(AnalyzeOptions()).admin) as connection,
        pytest.raises(ConnectionFailedError),
    ):
        connection.pipelined([[(lost, ())]])
