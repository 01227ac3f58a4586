"""The page about factories works as written."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from tests.projects import ran

PAGE = Path(__file__).resolve().parents[2] / "docs" / "factories.md"


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_commands_of_the_page_run_its_test(project: Path) -> None:
    (project / "migrations" / "0002_book.sql").write_text(_blocks("sql")[0])
    (project / "test_reviews.py").write_text(_blocks("python")[0])
    bin_folder = Path(sys.executable).parent
    path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
    for command in _blocks("sh"):
        done = ran("bash", "-ec", command, cwd=project, env={**os.environ, "PATH": path})
        assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout
