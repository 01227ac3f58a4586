"""The statement that causes an effect is found, also if the effect comes, goes and comes again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from aiosqlc.analysis.watched.causes import causes
from aiosqlc.ir import SchemaFile
from aiosqlc.source import SourceFile, Span


def caused(states: Mapping[int, str], statements: int) -> tuple[int, int]:
    """Return the number of the statement that causes an effect, and the number of runs.

    `states` maps the number of statements from which on the effect has a reason ('' for none).
    """
    text = ";" * statements
    spans = tuple(Span(number, number + 1) for number in range(statements))
    file = SchemaFile(SourceFile(Path("a.sql"), text), text, spans)
    runs = []

    def effects(part: SchemaFile) -> dict[str, str]:
        runs.append(part)
        done = len(part.statements)
        reason = states[max((start for start in states if start <= done), default=0)]
        return {"query": reason} if reason else {}

    found = causes(file, ["query"], effects)
    return found["query"].start + 1, len(runs)


@pytest.mark.parametrize(
    ("states", "statement"),
    [
        ({0: "", 3: "column"}, 3),
        ({0: "", 2: "table", 4: "", 5: "table"}, 5),
        ({0: "", 1: "table", 4: "column"}, 4),
        ({0: "", 1: "column", 2: "table", 3: "column"}, 3),
    ],
)
def test_the_cause_is_the_statement_after_which_the_reason_stays(
    states: dict[int, str], statement: int
) -> None:
    assert caused(states, 6)[0] == statement


def test_a_single_statement_is_the_cause_without_a_run() -> None:
    assert caused({0: "", 1: "table"}, 1) == (1, 0)


def test_a_long_migration_is_run_a_bounded_number_of_times() -> None:
    statement, runs = caused({0: "", 77: "column"}, 1000)
    assert statement == 77
    assert runs < 50
