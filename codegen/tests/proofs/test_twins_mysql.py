"""MySQL: every precondition of every rule is needed, as the rows of a MariaDB show."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosqlc.analysis.rules import EVERY_PART, ONE_PART
from aiosqlc.mysql import rules

from tests.mysql.conftest import mysql_cache
from tests.proofs.cases import Case
from tests.proofs.mutants_mysql import CASES, populated, trial_of

__all__ = ["mysql_cache"]
ROOT = Path(rules.__file__).parent
CORE = ROOT.parent / "relational"
# What the core asks of an engine, and MySQL's levels cannot but meet, or cannot meet.
ALWAYS_MET = {
    ("unique-key", "no FULL JOIN"),  # the servers have none
    ("unique-key", "the conditions imply the predicate of the index"),  # keys have none
    ("one-row", "the select list has no set-returning function"),
    ("some-row", "the select list has no set-returning function"),
    ("some-row", "no trigger skips the row"),  # a trigger can but fail
    ("some-row", "SET of ON CONFLICT reads no WITH query"),
}
NEVER_MET = {
    ("unique-key", "the equality operator belongs to the index"),  # no column is exact by itself
    ("unique-key", "the other operand is not volatile"),  # nothing is calculated from what is known
    # No pin goes through a set operation.
    ("set-operation-rows", "the column of the set operation is not cast"),
    (
        "unique-key",
        "no outer join sets the column of the LATERAL subquery to NULL",
    ),  # or through LATERAL
    ("some-row", "the set-returning function has constant arguments and returns a row"),
}
# MariaDB does not support LATERAL.
NO_ROWS_HERE = {("unique-key", "a LATERAL subquery refers to a single row")}
MANUAL = Path(__file__).parents[2] / "docs" / "proofs.md"
_PARTS = {"all_of": EVERY_PART, "any_of": ONE_PART}


@pytest.fixture(scope="module")
def session(mysql_cache: Path) -> Iterator[Any]:
    """A private server with a database of the cases' rows."""
    with populated(mysql_cache) as session:
        yield session


@pytest.mark.parametrize("case", CASES, ids=lambda case: " / ".join(case.premise))
def test_rows_refute_a_rule_without_one_of_its_premises_and_none_with_all(
    case: Case, session: Any
) -> None:
    trial = trial_of(case, session)
    assert case.shows in trial.seen.facts
    assert not trial.seen.facts & trial.denied
    assert trial.kills, "the premise can be taken away unnoticed"


def test_every_premise_has_a_refuter() -> None:
    registered = {(rule.name, premise) for rule in rules.RULES for premise in rule.premises}
    assert {case.premise for case in CASES} == registered


def test_every_premise_asked_for_is_registered() -> None:
    asked = set()
    for file in (*ROOT.glob("*.py"), *CORE.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            func = getattr(node, "func", None)
            name = getattr(func, "attr", getattr(func, "id", ""))
            if name not in {"holds", *_PARTS} or not isinstance(node, ast.Call):
                continue
            texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
            names = {"EVERY_PART": EVERY_PART, "ONE_PART": ONE_PART}
            texts += [names[a.id] for a in node.args if isinstance(a, ast.Name) and a.id in names]
            if name in _PARTS and isinstance(texts[0], str):
                asked.add((texts[0], _PARTS[name]))
            elif name == "holds" and len(texts) > 1:
                asked.add((texts[0], texts[1]))
    registered = {(rule.name, premise) for rule in rules.RULES for premise in rule.premises}
    assert asked - ALWAYS_MET - NEVER_MET - NO_ROWS_HERE == registered
    assert not registered & (ALWAYS_MET | NEVER_MET | NO_ROWS_HERE)


def test_the_function_that_applies_a_rule_exists() -> None:
    for rule in rules.RULES:
        package = "aiosqlc" if rule.applied_by.startswith("relational.") else "aiosqlc.mysql"
        found: Any = importlib.import_module(package)
        for name in rule.applied_by.split("."):
            below = f"{found.__name__}.{name}"
            found = getattr(found, name, None) or importlib.import_module(below)
        assert callable(found)


def test_the_manual_has_the_register() -> None:
    assert rules.table() in MANUAL.read_text(encoding="utf-8")
