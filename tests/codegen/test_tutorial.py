"""The tutorial is true: its files are written and its commands run, as a new user would."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "compiler" / "tutorial.md"
_BLOCK = re.compile(
    r"(?:(?:Put this into|Append this to) `(?P<file>[\w./]+)`:\n\n)?"
    r"```(?P<kind>\w+)\n(?P<text>.*?)```",
    re.DOTALL,
)
INSTALL = "pip install 'aiosqlc[postgres]' asyncpg\n"


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What each block of commands prints; the packages are those of this environment."""
    home = tmp_path_factory.mktemp("home")
    folder, found = home, []
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    # Not what this test's own process was told: a new user has nothing of it.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    for block in _BLOCK.finditer(PAGE.read_text()):
        text = block["text"]
        if block["file"]:
            with (folder / block["file"]).open("a") as file:
                file.write(f"\n{text}")
            continue
        assert block["kind"] == "sh", f"what is to be done with this? {text}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", text.replace(INSTALL, "")],
            cwd=folder,
            env={**kept, "PATH": path, "NO_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}"
        found.append(done.stdout)
        folder = home / "shop"
    return found


def test_its_first_program_prints_the_author_it_has_added(printed: list[str]) -> None:
    assert printed[2].startswith("Author(id=1, name='Ada', bio=None, changed_at=")


def test_explain_gives_the_reasons(printed: list[str]) -> None:
    assert "GetAuthor" in printed[3]
    assert "bio" in printed[3]


def test_filters_updates_and_many_rows_work_as_written(printed: list[str]) -> None:
    assert "Author(id=1, name='Ada', bio='a mathematician', changed_at=" in printed[4]


def test_the_first_commands_are_those_of_the_readme() -> None:
    readme = (PAGE.parents[2] / "codegen" / "README.md").read_text()
    commands = [
        match["text"] for match in _BLOCK.finditer(PAGE.read_text()) if match["kind"] == "sh"
    ]
    assert "".join(commands[:2]) in readme
