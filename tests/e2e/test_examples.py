"""The commands of docs/EXAMPLES.md have the results that the page shows."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from devstack.settings import ROOT
from devstack.testing.components import program
from tests.e2e.conftest import Stack

PAGE = ROOT / "docs" / "EXAMPLES.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "@@ end of example"
SECONDS = 240


@dataclass
class Example:
    """A block of commands, and their output if the page shows it."""

    section: str
    commands: str
    shown: str | None = None


def examples(page: str) -> list[Example]:
    """Return the blocks of commands in order, each with the text block after it."""
    found: list[Example] = []
    for section in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        title = section.partition("\n")[0]
        for language, text in BLOCK.findall(section):
            if language == "sh":
                found.append(Example(title, text))
            elif language == "text":
                found[-1].shown = text
    return found


def run(chosen: list[Example], stack: Stack) -> list[str]:
    """Run the examples in one bash; return the output of each."""
    script = "set -euo pipefail\n" + "".join(f"{e.commands}echo '{MARK}'\n" for e in chosen)
    environ = {
        **stack.environ,
        "GATEWAY": stack.url,
        "PYTHON": sys.executable,
        "POINT_PID": str(stack.pid("point")),
    }
    try:
        done = subprocess.run(
            ["bash", "-c", script], stdin=subprocess.DEVNULL, cwd=ROOT, env=environ,
            capture_output=True, text=True, check=False, timeout=SECONDS,
        )  # fmt: skip
    finally:
        os.kill(stack.pid("point"), signal.SIGCONT)  # wherever the page stopped
    printed = done.stdout.split(f"{MARK}\n")
    assert done.returncode == 0, (
        f"{chosen[len(printed) - 1].section}:\n{chosen[len(printed) - 1].commands}\n"
        f"{printed[-1]}\n{done.stderr[-2000:]}"
    )
    return printed[:-1]


def check(chosen: list[Example], stack: Stack) -> None:
    for example, printed in zip(chosen, run(chosen, stack), strict=True):
        assert example.shown in (None, printed), f"{example.section}:\n{example.commands}"


@pytest.fixture(scope="module")
def page() -> list[Example]:
    return examples(PAGE.read_text())


def test_every_command_of_the_page_prints_what_the_page_shows(
    stack: Stack, page: list[Example]
) -> None:
    check([e for e in page if e.section != "Prometheus"], stack)


def test_every_question_to_prometheus_is_answered(stack: Stack, page: list[Example]) -> None:
    program("prometheus")
    check([e for e in page if e.section in ("Helpers", "Prometheus")], stack)


def test_the_page_shows_what_nearly_every_command_prints(page: list[Example]) -> None:
    assert len(page) > 15
    assert len([e for e in page if e.shown is None]) <= 2
    assert len(Path(PAGE).read_text().splitlines()) < 420
