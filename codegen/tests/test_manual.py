"""The manual lists exactly the codes that the compiler's own stages can report."""

from __future__ import annotations

import re
from pathlib import Path

import aiosqlc
from aiosqlc.messages import codes
from aiosqlc.messages.codes import CODES
from aiosqlc.production.advice.rules import RULES as PLANS
from aiosqlc.production.migrations.rules import RULES as MIGRATIONS
from aiosqlc.production.review.rules import RULES as REVIEW
from aiosqlc.vet.rules import RULES

PACKAGE = Path(aiosqlc.__file__).parent
MANUAL = PACKAGE.parents[1] / "docs"


def _raised() -> set[str]:
    """Return every code in the compiler's own source, except the register."""
    files = [path for path in PACKAGE.rglob("*.py") if path.name != "codes.py"]
    return {code for path in files for code in re.findall(r'"(E\d{3})"', path.read_text())}


def test_every_code_that_is_raised_is_registered_and_no_other() -> None:
    assert _raised() == set(CODES)


def test_every_code_has_one_meaning_of_its_own() -> None:
    assert sorted(set(CODES.values())) == sorted(CODES.values())


def test_the_manual_has_the_register_of_codes() -> None:
    page = (MANUAL / "diagnostics.md").read_text()
    assert codes.table() in page
    listed = re.findall(r"^\| (V\d{3}) \|", page, re.MULTILINE)
    assert listed == sorted(set(listed))
    assert set(listed) == set(RULES)


def test_the_manual_has_the_findings_of_migrations() -> None:
    page = (MANUAL / "production.md").read_text()
    rows = dict(re.findall(r"^\| (M\d{3}) \| (.+) \|$", page, re.MULTILINE))
    assert rows == MIGRATIONS


def test_the_manual_has_the_findings_of_a_review() -> None:
    page = (MANUAL / "production.md").read_text()
    rows = dict(re.findall(r"^\| ([RP]\d{3}) \| (.+) \|$", page, re.MULTILINE))
    assert rows == REVIEW


def test_the_manual_has_the_rules_of_plans() -> None:
    page = (MANUAL / "plans.md").read_text()
    rows = dict(re.findall(r"^\| (V\d{3}) \| (.+) \|$", page, re.MULTILINE))
    assert rows == {code: rule.title for code, rule in PLANS.items()}


def test_every_code_is_reported_by_some_test() -> None:
    here = Path(__file__)
    texts = [
        p.read_text()
        for p in here.parent.rglob("*")
        if p.suffix in {".py", ".txt", ".toml"}
        if p != here
    ]
    seen = set(re.findall(r"\bE\d{3}\b", "\n".join(texts)))
    assert set(CODES) - seen == set()


def test_every_command_and_option_of_python_output_is_in_the_manual() -> None:
    from aiosqlc.cli.main import _COMMANDS
    from aiosqlc.config.load import _PYTHON

    commands = (MANUAL / "commands.md").read_text()
    assert [name for name in _COMMANDS if f"| `{name}" not in commands] == []
    configuration = (MANUAL / "configuration.md").read_text()
    assert [name for name in _PYTHON if f"`{name}`" not in configuration] == []


def test_every_variable_of_the_environment_that_is_read_is_in_the_manual() -> None:
    read = re.compile(r"""environ(?:\.get\(|\[)"([A-Z_]+)"|"([A-Z_]+)" (?:not )?in os\.environ""")
    texts = [path.read_text() for path in PACKAGE.rglob("*.py")]
    names = {"".join(found) for text in texts for found in read.findall(text)} - {"PATH"}
    assert "AIOSQLC_CACHE_DIR" in names
    manual = "\n".join(path.read_text() for path in MANUAL.glob("*.md"))
    assert {name for name in names if not re.search(rf"\b{name}\b", manual)} == set()
