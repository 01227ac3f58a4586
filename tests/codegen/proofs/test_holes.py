"""Queries whose rows once refuted a claim: each shows the danger, and none is claimed away.

The files in `holes/` are a schema with rows, then cases: `-- case: what the rows show`, with a
value for every `$1` after `with`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from aiosqlc.postgres import Analyzer
from aiosqlc.postgres.server.connection import Connection
from aiosqlc.postgres.server.embedded import embedded_server
from aiosqlc.stages import TypedQuery

from tests.codegen.proofs.judge import World, claims_of, denied, look, populated

_FILES = sorted((Path(__file__).parent / "holes").glob("*.sql"))
_ROWS = ("insert", "set ")


@dataclass(frozen=True, slots=True)
class Case:
    """A query, the value of its parameter, and what its rows show."""

    file: str
    sql: str
    values: tuple[str, ...]
    shows: str


def _read(file: Path) -> tuple[World, list[Case]]:
    head, *parts = file.read_text(encoding="utf-8").split("-- case: ")
    statements = [s.strip() for s in head.split(";\n") if s.strip()]
    cases = []
    for part in parts:
        line, _, sql = part.partition("\n")
        shows, _, value = line.partition(" with ")
        values = (value,) if value else ()
        cases.append(Case(file.stem, " ".join(sql.strip().rstrip(";").split()), values, shows))
    rows = tuple(s for s in statements if s.startswith(_ROWS))
    return World(tuple(s for s in statements if s not in rows), rows), cases


WORLDS = {file.stem: _read(file) for file in _FILES}
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


@pytest.mark.parametrize("case", CASES, ids=[f"{case.file}: {case.sql}" for case in CASES])
def test_what_the_rows_show_was_not_denied(
    case: Case, answers: dict[Case, tuple[TypedQuery, Connection]]
) -> None:
    query, connection = answers[case]
    seen = look(connection, query, case.values)
    assert seen.error == ""
    assert case.shows in seen.facts
    refuted = sorted(seen.facts & denied(query))
    assert refuted == []
