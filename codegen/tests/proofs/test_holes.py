"""Queries whose rows disprove claims that were made once, or that are tempting."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from aiosqlc.ir import TypedQuery
from aiosqlc.postgres import Analyzer
from aiosqlc.servers.postgres.connection import Connection
from aiosqlc.servers.postgres.embedded import embedded_server

from tests.proofs.cases import Case, worlds
from tests.proofs.judge import claims_of, denied, look, populated

WORLDS = worlds("holes")
CASES = [case for _, cases in WORLDS.values() for case in cases]


@pytest.fixture(scope="module")
def answers() -> Iterator[dict[Case, tuple[TypedQuery, Connection]]]:
    """Every case's claims, and a connection to a database with its rows."""
    found = {}
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(embedded_server())
        analyzer = stack.enter_context(Analyzer())
        for name, (world, cases) in WORLDS.items():
            connection = stack.enter_context(populated(server, f"holes_{name}", world))
            typed, problems = claims_of(analyzer, world, [case.sql for case in cases])
            assert [problem.message for problem in problems] == []
            found.update({case: (typed[case.sql], connection) for case in cases})
        yield found


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_the_rows_show_was_not_denied(
    case: Case, answers: dict[Case, tuple[TypedQuery, Connection]]
) -> None:
    query, connection = answers[case]
    seen = look(connection, query, case.values)
    assert seen.error == ""
    assert case.shows in seen.facts
    refuted = sorted(seen.facts & denied(query))
    assert refuted == []
