"""The manual names every code that the compiler's own stages can report, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import aiosqlc
from aiosqlc.vet.rules import RULES

PACKAGE = Path(aiosqlc.__file__).parent
MANUAL = PACKAGE.parents[1] / "docs" / "compiler"
ENGINES = {"postgres", "mysql"}


def test_every_code_is_in_the_manual() -> None:
    stages = [p for p in PACKAGE.rglob("*.py") if not ENGINES & set(p.relative_to(PACKAGE).parts)]
    raised = {code for path in stages for code in re.findall(r'"(E\d{3})"', path.read_text())}
    listed = re.findall(r"^\| (\w\d{3}) \|", (MANUAL / "diagnostics.md").read_text(), re.MULTILINE)
    assert raised - set(listed) == set()
    assert {code for code in listed if code.startswith("V")} == set(RULES)
    assert len(listed) == len(set(listed))


def test_every_command_and_option_of_python_output_is_in_the_manual() -> None:
    from aiosqlc.cli.main import _COMMANDS
    from aiosqlc.config.load import _PYTHON

    commands = (MANUAL / "commands.md").read_text()
    assert [name for name in _COMMANDS if f"| `{name}" not in commands] == []
    configuration = (MANUAL / "configuration.md").read_text()
    assert [name for name in _PYTHON if f"`{name}`" not in configuration] == []
