"""Every precondition of every rule is needed: without it, rows disprove the claim."""

from __future__ import annotations

from aiosqlc.postgres.rules import RULES

from tests.proofs.cases import worlds
from tests.proofs.twins import trials


def test_every_premise_has_a_refuter() -> None:
    tried = {case.premise for _, cases in worlds("refuters").values() for case in cases}
    assert tried == {(rule.name, premise) for rule in RULES for premise in rule.premises}


def test_rows_refute_every_rule_without_one_of_its_premises_and_none_with_all() -> None:
    survivors = []
    for trial in trials():
        assert trial.seen.error == "", trial.case
        assert trial.case.shows in trial.seen.facts, trial.case
        assert not trial.seen.facts & trial.denied, trial.case
        if not trial.kills:
            survivors.append(trial.case.name)
    assert survivors == []
