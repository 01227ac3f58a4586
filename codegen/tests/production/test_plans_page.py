"""The example of the page about plans does what the page says, from an empty folder."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from tests.projects import ran

_PAGE = Path(__file__).parents[2] / "docs" / "plans.md"
_COST = re.compile(r"(?<=cost )[\d,.]+|(?<=costs )[\d,.]+|[\d,.]+(?= times)")


def test_the_example_prints_what_the_page_shows(tmp_path: Path) -> None:
    text = _PAGE.read_text()
    commands = re.search(r"```sh\n(.*?)```", text, re.DOTALL)
    shown = re.search(r"```text\n(.*?)```", text, re.DOTALL)
    assert commands
    assert shown
    assert commands[1].count("\n") == 5
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = ran("bash", "-c", commands[1], cwd=tmp_path, env={**os.environ, "PATH": path})
    assert done.returncode == 1, done.stderr
    # The pages of an index on a newer release may differ, and its costs with them.
    assert _COST.sub("N", shown[1]) in _COST.sub("N", done.stderr)
