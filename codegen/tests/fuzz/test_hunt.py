"""The short search in every test run, and a proof that the search finds false claims.

The seeds are fixed here, so that a run depends only on the change. `make fuzz` searches with new
seeds, also every night.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiosqlc.ir import TypedEmbed
from aiosqlc.postgres import typed
from aiosqlc.postgres.infer import relations, scope
from aiosqlc.postgres.infer.resolver import RESOLVER
from aiosqlc.postgres.infer.verdict import never
from aiosqlc.relational.embeds import weakest
from aiosqlc.relational.rows import RowCounter
from msgspec.structs import replace

from tests.conftest import Full
from tests.fuzz.called import hunt_called
from tests.fuzz.hunt import hunt
from tests.sampling import sample


def test_no_claim_is_refuted_by_thousands_of_executions(full: Full) -> None:
    wanted = full(150_000, sample=4_000)
    tally = hunt(wanted, seed=1)
    assert tally.executions >= wanted
    assert tally.false == [], tally.report()
    assert tally.recall > 0.55, tally.report()


def _ignore_outer_joins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scope.Scope, "alive", lambda *_: [])


def _believe_every_aggregate(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = {**RESOLVER.rules, "AGGREF": lambda *_: never("aggregate", "broken on purpose")}
    monkeypatch.setattr(typed, "RESOLVER", replace(RESOLVER, rules=rules))


def _trust_rows_of_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        relations, "_function_column", lambda *_: never("function-column", "broken")
    )


def _forget_that_updates_change_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scope.Scope, "_forget_new_values", lambda _: None)


def _call_every_query_single(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RowCounter, "at_most_one", lambda *_, **__: True)


def _call_every_query_productive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RowCounter, "at_least_one", lambda *_: True)


def _judge_embedded_rows_by_one_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(typed, "weakest", lambda embeds, columns: weakest(embeds[:1], columns))


def _tell_embedded_rows_by_any_column(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(*of: Any) -> TypedEmbed:
        embed = weakest(*of)
        last = embed.first + embed.count - 1
        return replace(embed, presence=last) if embed.nullable else embed

    monkeypatch.setattr(typed, "weakest", told)


@pytest.mark.parametrize(
    ("break_it", "said"),
    [(_judge_embedded_rows_by_one_text, "NULL in"), (_tell_embedded_rows_by_any_column, "LOST")],
)
def test_the_hunt_asks_for_embedded_rows_in_queries_with_optional_parts(
    break_it: Callable[[pytest.MonkeyPatch], None], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_it(monkeypatch)
    found = hunt(2_000, seed=20261125, first_only=True).false
    assert any(line.startswith(said) for line in found), found


def test_generated_functions_return_what_their_annotations_say(full: Full, tmp_path: Path) -> None:
    tally = hunt_called(full(50_000, sample=200), 700_000, tmp_path, queries=30)
    assert tally.broken == [], tally.report()


def test_documents_are_of_the_shape_that_was_proved(full: Full, tmp_path: Path) -> None:
    wanted = full(50_000, sample=300)
    tally = hunt_called(wanted, 800_000, tmp_path, queries=30, documents=True)
    assert tally.broken == [], tally.report()
    assert tally.shapes > 20, tally.report()


@pytest.mark.long
def test_calling_the_functions_finds_a_broken_rule(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _ignore_outer_joins(monkeypatch)
    _believe_every_aggregate(monkeypatch)
    assert hunt_called(500, 7, tmp_path, queries=40).broken != []


@pytest.mark.parametrize(
    "break_it",
    sample(
        2,
        [
            _believe_every_aggregate,
            _call_every_query_single,
            _ignore_outer_joins,
            _trust_rows_of_functions,
            _forget_that_updates_change_rows,
            _call_every_query_productive,
        ],
    ),
)
def test_the_hunt_catches_a_broken_rule(break_it: object, monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(break_it)
    break_it(monkeypatch)
    assert hunt(12_000, seed=7, first_only=True).false != []
