"""The page about SQL inside Python works as written."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from tests.projects import ran

PAGE = Path(__file__).resolve().parents[2] / "docs" / "inline.md"


def _blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE.read_text(), re.DOTALL)


def test_the_commands_of_the_page_run_its_program(project: Path) -> None:
    (project / "app").mkdir()
    people = project / "app" / "people.py"
    people.write_text(_blocks("python")[0])
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = ran("bash", "-ec", _blocks("sh")[0], cwd=project, env={**os.environ, "PATH": path})
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == "[LikeRow(id=1, name='Ada')]\n1\n"


def test_a_type_checker_says_what_the_page_shows(project: Path) -> None:
    (project / "app").mkdir()
    people = project / "app" / "people.py"
    people.write_text(_blocks("python")[0])
    assert (
        ran("bash", "-ec", f"{sys.executable} -m aiosqlc scan app -o inline", cwd=project).stdout
        == ""
    )
    shown = _blocks("text")[0].strip()
    line = int(shown.split(":")[1])
    lines = people.read_text().splitlines()
    lines[line - 1] = lines[line - 1].replace("SELECT id", "SELECT  id")
    people.write_text("\n".join(lines) + "\n")
    mypy = [sys.executable, "-m", "mypy", "--no-pretty", "app/people.py"]
    assert shown in ran(*mypy, cwd=project).stdout
