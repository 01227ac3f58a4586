"""The register has exactly the rules of the code, with their preconditions."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path

from aiosqlc.analysis.rules import EVERY_PART, ONE_PART
from aiosqlc.postgres import rules
from aiosqlc.postgres.rules import RULES

ROOT = Path(rules.__file__).parent
CORE = ROOT.parent / "relational"
MANUAL = Path(__file__).parents[2] / "docs" / "proofs.md"
RULES_ARE_IN = [*(ROOT / "infer").glob("*.py"), *CORE.glob("*.py")]
_CLAIMS = {"never": 1, "all_of": 2, "any_of": 2, "_say": 2}


def _calls() -> Iterator[tuple[str, list[str]]]:
    """Yield the name of each call and its first text arguments."""
    for file in [*RULES_ARE_IN, ROOT / "catalog" / "facts.py"]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
                yield name, [text for text in texts if isinstance(text, str)]


def test_every_rule_applied_is_registered_and_every_registered_one_is_applied() -> None:
    claimed = {texts[0] for name, texts in _calls() if name in _CLAIMS and texts}
    premises = {texts[0] for name, texts in _calls() if name == "holds" and len(texts) > 1}
    assert claimed | premises == {rule.name for rule in RULES}


def test_every_premise_asked_for_is_registered_with_its_rule() -> None:
    asked = {(texts[0], texts[1]) for name, texts in _calls() if name == "holds" and len(texts) > 1}
    asked |= {(texts[0], EVERY_PART) for name, texts in _calls() if name == "all_of" and texts}
    asked |= {(texts[0], ONE_PART) for name, texts in _calls() if name == "any_of" and texts}
    assert asked == {(rule.name, premise) for rule in RULES for premise in rule.premises}


def test_the_function_that_applies_a_rule_exists() -> None:
    for rule in RULES:
        names = rule.applied_by.split(".")
        package = "aiosqlc" if names[0] == "relational" else "aiosqlc.postgres.infer"
        found = importlib.import_module(package)
        for name in names:
            below = f"{found.__name__}.{name}"
            found = getattr(found, name, None) or importlib.import_module(below)
        assert callable(found)


def test_the_manual_has_the_register() -> None:
    assert rules.table() in MANUAL.read_text(encoding="utf-8")


def test_rules_import_nothing_where_they_are_called() -> None:
    """Imports inside a function would hide circular imports."""
    for file in RULES_ARE_IN:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)]
        inside = [n for f in functions for n in ast.walk(f) if isinstance(n, ast.ImportFrom)]
        assert inside == [], file.name
